/** `git maintenance run --auto` in the background: when it starts, with what, and that nothing waits for it. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { buildTree, encodeCommit, type Oid } from '../../../src/git/index.ts'
import { type ActorId, identifyEvent } from '../../../src/model/index.ts'
import { isLookDue } from '../../../src/tracker/sync/maintenance.ts'
import { batchOfEvents, issueCodec } from '../../../src/wal/index.ts'
import { createGriteSandbox } from '../../contract/grite-process.ts'
import { whyGitLacks } from '../../git/git-features.ts'
import { commandRunner, createCommandSandbox } from '../../support/command-runner.ts'
import { createFakeGit } from '../../support/fake-git.ts'
import { issueId } from '../../support/log.ts'

const tracker =
  '{"id":"t-1","title":"Old","status":"open","created_at":"2025-01-01T00:00:00Z","updated_at":"2025-01-01T00:00:00Z"}\n'

describe('maintenance', { concurrency: 2 }, () => {
  it('an import starts maintenance in the background', async (t) => {
    const place = createGriteSandbox(t)
    const fake = createFakeGit(place)
    const outcome = place.griteWith({ env: fake.environment, stdin: tracker }, 'import', '-', '--json')
    assert.deepEqual([outcome.status, outcome.stderr], [0, ''])
    const { words, gitDir, folder, processId, processGroup } = await fake.started()
    assert.equal(fake.isRunning(), true)
    assert.equal(words, 'maintenance run --auto --quiet')
    assert.deepEqual([gitDir, folder], [join(place.path, '.git'), join(place.path, '.git')])
    assert.equal(processGroup, processId)
    await fake.release()
  })

  it('failing maintenance does not fail the command', async (t) => {
    const place = createGriteSandbox(t)
    const fake = createFakeGit(place, 3)
    const outcome = place.griteWith({ env: fake.environment, stdin: tracker }, 'import', '-')
    assert.deepEqual([outcome.status, outcome.stderr], [0, ''])
    await fake.started()
    await fake.release()
  })

  it('an import that writes nothing starts no maintenance', async (t) => {
    const sandbox = createCommandSandbox(t)
    const fake = createFakeGit(sandbox)
    const runner = commandRunner({ cwd: sandbox.path, env: fake.environment, stdin: tracker })
    await runner.run('import', { file: '-', dryRun: true })
    await commandRunner({ cwd: sandbox.path, env: sandbox.environment, stdin: tracker }).run('import', { file: '-' })
    await runner.run('import', { file: '-' })
    await sleep(50)
    assert.equal(fake.hasStarted(), false)
    await runner.run('import', { file: '-' })
  })

  it('a write starts maintenance depending on its commit id', async (t) => {
    const sandbox = createCommandSandbox(t)
    const fake = createFakeGit(sandbox)
    const { actor_id } = (await sandbox.run('init')) as { actor_id: ActorId }
    const nowUnixMs = 1_700_000_000_000
    const id = issueId('a0')
    const randomBytes = () => Buffer.from(id, 'hex')
    const runner = commandRunner({ cwd: sandbox.path, env: fake.environment, nowUnixMs: () => nowUnixMs, randomBytes })
    /** The first numbered title that gives a commit on `parent` that is due, or is not. */
    const findTitle = (parent: Oid | null, isDue: boolean): string => {
      const parents = parent === null ? [] : [parent]
      for (let number = 0; ; number++) {
        const body = { type: 'IssueCreated', title: `${number}`, body: '', labels: [] } as const
        const events = [identifyEvent({ issueId: id, actor: actor_id, tsUnixMs: nowUnixMs, parent: null, body })]
        const { files, ...commit } = issueCodec.encode(batchOfEvents({ actor: actor_id, events, nowUnixMs }), parents)
        const author = { ...commit.identity, ...commit.date }
        const { oid } = encodeCommit('sha1', { ...commit, tree: buildTree('sha1', files).root, parents, author })
        if (isLookDue(oid) === isDue) return `${number}`
      }
    }
    const write = (parent: Oid | null, isDue: boolean) =>
      runner.withRepository(async (repository) => {
        const title = findTitle(parent, isDue)
        const { head } = await repository.write(async (draft) => {
          draft.createIssue({ title, body: '', labels: [] })
        })
        return head as Oid
      })
    const first = await write(null, false)
    await sleep(50)
    assert.equal(fake.hasStarted(), false)
    await write(first, true)
    assert.equal((await fake.started()).words, 'maintenance run --auto --quiet')
    await fake.release()
  })

  const refusals: readonly (readonly [string, (path: string) => Readonly<Record<string, string>>])[] = [
    ['GRITE_NO_MAINTENANCE', () => ({ GRITE_NO_MAINTENANCE: '1' })],
    [
      'maintenance.auto of grite',
      (path) => {
        mkdirSync(join(path, '.git/grite'))
        writeFileSync(join(path, '.git/grite/config.toml'), '[maintenance]\nauto = false\n')
        return {}
      },
    ],
    [
      'maintenance.auto of git in a file',
      (path) => {
        writeFileSync(join(path, '.git/config'), '[maintenance]\n\tauto = off\n', { flag: 'a' })
        return {}
      },
    ],
    [
      'maintenance.auto of git in a variable',
      () => ({ GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'maintenance.auto', GIT_CONFIG_VALUE_0: 'off' }),
    ],
  ]
  for (const [what, refuse] of refusals) {
    const skip = what.endsWith('in a variable') && whyGitLacks('GIT_CONFIG_COUNT')
    it(`maintenance is not started with ${what}`, { skip }, async (t) => {
      const sandbox = createCommandSandbox(t)
      const fake = createFakeGit(sandbox)
      const env = { ...fake.environment, ...refuse(sandbox.path) }
      await commandRunner({ cwd: sandbox.path, env, stdin: tracker }).run('import', { file: '-' })
      await sleep(50)
      assert.equal(fake.hasStarted(), false)
    })
  }
})

it('one commit in 128 starts maintenance', () => {
  const heads = Array.from(
    { length: 0x1_0000 },
    (_, index) => `${'a'.repeat(36)}${index.toString(16).padStart(4, '0')}`,
  )
  assert.equal(heads.filter((head) => isLookDue(head as Oid)).length, 0x1_0000 / 128)
})
