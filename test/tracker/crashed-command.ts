import assert from 'node:assert/strict'
import type { IssueRow } from '../../src/view/index.ts'
import { walRef } from '../../src/wal/index.ts'
import type { CleanUp } from '../git/temp-repository.ts'
import type { CommandOrder } from '../support/command-child.ts'
import { createCommandSandbox } from '../support/command-runner.ts'
import { assertLogHolds, dumpStore, idsOnChain } from '../support/log.ts'
import { startCommandChild } from '../support/start-command-child.ts'

export type DieAt = NonNullable<CommandOrder['dieAt']>
type Commands = CommandOrder['commands']

/** A repository with one issue, in which grite processes are killed. */
export async function createCrashSandbox(t: CleanUp) {
  const sandbox = createCommandSandbox(t)
  const { run, path, git, environment, withRepository, warnings } = sandbox
  const base = (await run('issue create', { title: 'base' })) as { issue_id: string; event_id: string }
  await run('issue list')
  const ids = () =>
    withRepository(async (repository) => idsOnChain(repository.git, await repository.git.readRef(walRef)))
  return {
    ...sandbox,
    path,
    base,
    ids,
    /** Runs commands in a process that kills itself at the given moment. */
    async runAndDie(commands: Commands, dieAt: DieAt) {
      const end = await startCommandChild({ cwd: path, environment, commands, dieAt })
      assert.equal(end.signal, 'SIGKILL', `${end.exitStatus} ${end.stderr}`)
      return end
    },
    /** Asserts that the next command works, the log is sound and the view equals a rebuild. */
    async assertSound() {
      const { issues } = (await run('issue list')) as { issues: IssueRow[] }
      await run('issue create', { title: 'next' })
      await run('issue list')
      const live = await withRepository(async (repository) => dumpStore((await repository.view()).store))
      assert.deepEqual(await withRepository(async (repository) => dumpStore((await repository.rebuild()).store)), live)
      const all = await ids()
      assert.equal(new Set(all).size, all.length)
      await withRepository((repository) => assertLogHolds(path, (...args) => git(path, ...args), repository.git, all))
      assert.deepEqual(warnings, [])
      return issues
    },
  }
}
