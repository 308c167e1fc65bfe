/** File modes for core.sharedRepository, compared with git in one repository. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { findRepository } from '../../src/git/index.ts'
import { parseSharedRepository, readSharedPermissions } from '../../src/git/shared-permissions.ts'
import { GitError } from '../../src/model/index.ts'
import { createTempRepository, type TempRepository } from './temp-repository.ts'

const umasks = ['022', '077', '002'] as const

/** Runs a shell with a umask in the git directory. */
function shell({ layout, environment }: TempRepository, umask: string, script: string): void {
  const { status, stderr } = spawnSync('sh', ['-c', `umask ${umask}; ${script}`], {
    cwd: layout.commonDir,
    env: environment,
    encoding: 'utf8',
  })
  assert.equal(status, 0, stderr)
}

/** Values of the setting; null when it is not set. */
const values: readonly (string | null)[] = [
  null,
  '= umask',
  '= false',
  '= 0',
  '= group',
  '',
  '= true',
  '= 1',
  '= all',
  '= world',
  '= everybody',
  '= 2',
  '= 0660',
  '= 0640',
  '= 0600',
  '= 0666',
  '= 0777',
  '= 660',
]

/** Before 2.34, git also sets the set-group-id bit of directories without group permissions. */
function withoutIdleGroup(mode: number): number {
  return (mode & 0o060) === 0 ? mode & ~0o2000 : mode
}

describe('file modes of core.sharedRepository', () => {
  for (const value of values) {
    it(`gives files the modes of git: core.sharedRepository ${value ?? 'is not set'}`, async (t) => {
      const repository = await createTempRepository(t)
      const { layout, environment, path } = repository
      const git = `GIT_DIR='${layout.commonDir}' git`
      if (value !== null) shell(repository, '022', `printf '[core]\\n\\tsharedRepository ${value}\\n' >> config`)
      const permissions = await readSharedPermissions(
        await findRepository({ cwd: path, env: environment }),
        environment,
      )
      for (const umask of umasks) {
        const ref = `refs/heads/a${umask}`
        shell(repository, umask, `${git} update-ref ${ref}/x HEAD; echo ${umask} | ${git} hash-object -w --stdin`)
        const folder = join(layout.commonDir, `own${umask}`)
        shell(
          repository,
          umask,
          `mkdir own${umask}; : > own${umask}/file; : > own${umask}/object; chmod a-w own${umask}/object`,
        )
        for (const name of [folder, join(folder, 'file'), join(folder, 'object')]) permissions.adjust(name)
        const oid = repository.run('rev-parse', `HEAD`)
        assert.ok(oid)
        const modeOf = (name: string) => withoutIdleGroup(statSync(name).mode & 0o7777).toString(8)
        assert.deepEqual(
          [modeOf(folder), modeOf(join(folder, 'file'))],
          [modeOf(join(layout.commonDir, ref)), modeOf(join(layout.commonDir, ref, 'x'))],
          `umask ${umask}`,
        )
        const blob = repository.gitWith(`${umask}\n`, path, 'hash-object', '--stdin')
        assert.equal(
          modeOf(join(folder, 'object')),
          modeOf(join(layout.objectDir, blob.slice(0, 2), blob.slice(2))),
          `object, umask ${umask}`,
        )
      }
    })
  }

  it('reads core.sharedRepository from an included file and the environment', async (t) => {
    const { layout, environment, run, dir } = await createTempRepository(t)
    assert.equal((await readSharedPermissions(layout, environment)).isShared, false)
    const parameters = { GIT_CONFIG_PARAMETERS: "'core.sharedRepository=group'" }
    assert.equal((await readSharedPermissions(layout, { ...environment, ...parameters })).isShared, true)
    run('config', '--file', join(dir, 'included'), 'core.sharedRepository', 'all')
    run('config', 'include.path', join(dir, 'included'))
    assert.equal((await readSharedPermissions(layout, environment)).isShared, true)
  })

  it('an invalid core.sharedRepository fails writing but not reading', async (t) => {
    for (const value of ['everyone', '0060', 'Group']) assert.throws(() => parseSharedRepository(value), GitError)
    const { layout, environment, run } = await createTempRepository(t)
    run('config', 'core.sharedRepository', 'everyone')
    const permissions = await readSharedPermissions(layout, environment)
    assert.throws(() => permissions.adjust(layout.commonDir), GitError)
  })
})
