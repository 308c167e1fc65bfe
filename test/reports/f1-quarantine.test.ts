/** Nothing is published into a temporary store: the quarantine of a push, or a separate object directory. */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { findRepository, openNative, openRemotes, openRepository } from '../../src/git/index.ts'
import { StorageError } from '../../src/model/index.ts'
import { walRef } from '../../src/wal/index.ts'
import { createGriteSandbox, gritePath } from '../contract/grite-process.ts'
import { planOf, publishChain, sampleCommit } from '../git/sample-commits.ts'
import { createTempRepository } from '../git/temp-repository.ts'
import { commandRunner, createCommandSandbox } from '../support/command-runner.ts'

/** The variables that git sets for a pre-receive hook. */
function quarantineOf(path: string): Readonly<Record<string, string>> {
  const objects = join(path, 'objects')
  const quarantine = join(objects, 'tmp_objdir-incoming-x')
  mkdirSync(quarantine, { recursive: true })
  return {
    GIT_DIR: path,
    GIT_QUARANTINE_PATH: quarantine,
    GIT_OBJECT_DIRECTORY: quarantine,
    GIT_ALTERNATE_OBJECT_DIRECTORIES: objects,
  }
}

const isRefusal = (reason: string) => (error: unknown) => {
  assert.ok(error instanceof StorageError, String(error))
  assert.deepEqual([error.code, error.exitStatus, error.details.reason], ['io_error', 5, reason])
  return true
}

async function createQuarantine(t: TestContext) {
  const { path, environment, run, git } = createCommandSandbox(t)
  const { issue_id } = (await run('issue create', { title: 'one' })) as { issue_id: string }
  await run('issue list')
  const gitDir = join(path, '.git')
  const inside = commandRunner({ cwd: path, env: { ...environment, ...quarantineOf(gitDir) } })
  return { path, gitDir, issue_id, run, inside, environment, git: (...args: string[]) => git(path, ...args) }
}

describe('the quarantine of a push', () => {
  it('a hook can read but not write in a quarantine', (t) => {
    const server = createGriteSandbox(t, '--bare')
    server.create('before')
    const { git, dir, environment } = server
    const hook = join(server.path, 'hooks', 'pre-receive')
    mkdirSync(join(server.path, 'hooks'), { recursive: true })
    const grite = `'${process.execPath}' '${gritePath}'`
    writeFileSync(
      hook,
      `#!/bin/sh\n${grite} issue create --title inside --json\necho "exit $?"\n${grite} issue list\nexit 1\n`,
    )
    spawnSync('chmod', ['+x', hook])
    git(dir, 'init', '-q', 'clone')
    git(`${dir}/clone`, 'commit', '-q', '--allow-empty', '-m', 'x')
    const head = server.head()
    const pushed = spawnSync('git', ['push', server.path, 'HEAD:refs/heads/main'], {
      cwd: `${dir}/clone`,
      env: environment,
      encoding: 'utf8',
    })
    assert.match(pushed.stderr, /"code":"io_error"/)
    assert.match(pushed.stderr, /"reason":"quarantine"/)
    assert.match(pushed.stderr, /exit 5/)
    assert.match(pushed.stderr, /before/)
    assert.equal(server.head(), head)
    git(server.path, 'for-each-ref')
    git(server.path, 'rev-list', '--all', '--count')
    assert.equal(server.data('issue', 'list').issues.length, 1)
  })

  it('no command moves a ref in a quarantine, as in git', async (t) => {
    const { inside, issue_id, git, path, environment, gitDir } = await createQuarantine(t)
    const before = git('for-each-ref')
    for (const [name, input] of [
      ['issue create', { title: 'two' }],
      ['issue comment', { issue: issue_id, body: 'x' }],
      ['issue claim', { issue: issue_id }],
      ['lock acquire', { resource: 'path:src' }],
      ['snapshot create', {}],
    ] as const) {
      await assert.rejects(inside.run(name, input), isRefusal('quarantine'), name)
    }
    assert.equal(git('for-each-ref'), before)
    const asGit = spawnSync('git', ['update-ref', 'refs/grite/side', 'HEAD'], {
      cwd: path,
      env: { ...environment, ...quarantineOf(gitDir) },
      encoding: 'utf8',
    })
    assert.notEqual(asGit.status, 0)
  })

  it('a reader in a quarantine shows lost events but restores none', async (t) => {
    const { inside, run, git } = await createQuarantine(t)
    await run('issue create', { title: 'two' })
    await run('issue list')
    const first = git('rev-parse', `${walRef}~1`)
    git('update-ref', '-m', 'foreign', walRef, first)
    const { issues } = (await inside.run('issue list')) as { issues: { title: string }[] }
    assert.deepEqual(issues.map(({ title }) => title).sort(), ['one', 'two'])
    assert.match(inside.warnings[0]?.message ?? '', /cannot be restored here; the lost events are shown/)
    assert.equal(git('rev-parse', walRef), first)
  })

  it('a sync in a quarantine neither fetches nor pushes', async (t) => {
    const { inside, git, path, environment, gitDir } = await createQuarantine(t)
    git('init', '-q', '--bare', join(path, 'origin.git'))
    git('remote', 'add', 'origin', join(path, 'origin.git'))
    await assert.rejects(inside.run('sync'), isRefusal('quarantine'))
    const env = { ...environment, ...quarantineOf(gitDir) }
    const layout = await findRepository({ cwd: path, env })
    const remotes = openRemotes(openRepository(layout, { environment: env }), { isInteractive: false })
    const update = { ref: walRef, next: git('rev-parse', walRef) as never }
    await assert.rejects(
      remotes.push({ remote: 'origin', updates: [update], atomic: false, runHooks: false }),
      isRefusal('quarantine'),
    )
    assert.equal(git('ls-remote', 'origin'), '')
  })
})

describe('GIT_OBJECT_DIRECTORY', () => {
  async function setUp(t: TestContext, folder: string) {
    const repository = await createTempRepository(t)
    const objects = join(repository.dir, folder)
    mkdirSync(objects)
    const environment = {
      ...repository.environment,
      GIT_OBJECT_DIRECTORY: objects,
      GIT_ALTERNATE_OBJECT_DIRECTORIES: repository.layout.objectDir,
    }
    const layout = await findRepository({ cwd: repository.path, env: environment })
    return { ...repository, objects, layout, environment }
  }

  for (const [name, open] of [
    ['combined', openRepository],
    ['native', openNative],
  ] as const) {
    it(`an object directory unknown to the repository gets no ref: ${name}`, async (t) => {
      const { layout, environment, run, objects } = await setUp(t, 'elsewhere')
      const port = open(layout, { environment })
      await assert.rejects(port.publish(planOf(sampleCommit('sha1', [], 'one'), null)), isRefusal('temporary-store'))
      assert.equal(run('for-each-ref', 'refs/grite'), '')
      assert.deepEqual(readdirSync(objects), [])
      await port.close()
    })

    it(`an object directory that is an alternate is accepted: ${name}`, async (t) => {
      const { layout, environment, run, objects, path } = await setUp(t, 'alternate')
      mkdirSync(join(path, '.git/objects/info'), { recursive: true })
      writeFileSync(join(path, '.git/objects/info/alternates'), `# shared\n${objects}\n`)
      const port = open(layout, { environment })
      const oids = await publishChain(port, ['one', 'two'])
      // Without the variables.
      assert.equal(run('rev-parse', walRef), oids[1])
      run('fsck', '--strict', '--no-dangling')
      await port.close()
    })

    it(`objects only in an environment’s alternate are written again: ${name}`, async (t) => {
      const { layout, environment, run, dir } = await createTempRepository(t)
      const elsewhere = await createTempRepository(t, 'bare')
      const commit = sampleCommit('sha1', [], 'one')
      await openRepository(elsewhere.layout, { environment }).publish({ objects: commit.objects, updates: [] })
      assert.ok(existsSync(dir))
      const port = open(
        { ...layout, unusualObjectStore: true },
        { environment: { ...environment, GIT_ALTERNATE_OBJECT_DIRECTORIES: elsewhere.layout.objectDir } },
      )
      await port.publish(planOf(commit, null))
      run('fsck', '--strict', '--no-dangling')
      await port.close()
    })
  }
})
