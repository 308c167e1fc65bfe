import assert from 'node:assert/strict'
import type { IssueRow } from '../../src/view/index.ts'
import { walRef } from '../../src/wal/index.ts'
import type { CleanUp } from '../git/temp-repository.ts'
import { createCommandSandbox } from '../support/command-runner.ts'
import { assertLogHolds, dumpStore, idsOnChain } from '../support/log.ts'
import { startGrite } from '../support/start-command-child.ts'

/** A repository in which many grite processes work at once. */
export function createProcessSandbox(t: CleanUp) {
  const sandbox = createCommandSandbox(t)
  const { run, path, git, environment, withRepository, warnings } = sandbox
  const grite = (...args: readonly string[]) => startGrite({ cwd: path, environment }, ...args)
  return {
    ...sandbox,
    path,
    grite,
    /** Runs a command and returns its data. */
    async answer(...args: readonly string[]): Promise<Record<string, unknown>> {
      const end = await grite(...args, '--json')
      assert.equal(end.exitStatus, 0, `${args.join(' ')}: ${end.stderr}`)
      return JSON.parse(end.stdout).data
    },
    list: async () => ((await run('issue list')) as { issues: IssueRow[] }).issues,
    /** Asserts that the log holds every acknowledged event once and the view equals a rebuild. */
    async assertHolds(acknowledged: readonly string[]) {
      const ids = await withRepository(async (repository) =>
        idsOnChain(repository.git, await repository.git.readRef(walRef)),
      )
      assert.deepEqual(
        acknowledged.filter((id) => !ids.includes(id)),
        [],
      )
      await withRepository((repository) =>
        assertLogHolds(path, (...args) => git(path, ...args), repository.git, [...new Set(ids)]),
      )
      const live = await withRepository(async (repository) => dumpStore((await repository.view()).store))
      assert.deepEqual(await withRepository(async (repository) => dumpStore((await repository.rebuild()).store)), live)
      assert.deepEqual(warnings, [])
      return ids
    },
  }
}

export const eventIdsOf = (answers: readonly Record<string, unknown>[]) =>
  answers.map(({ event_id }) => event_id as string)
