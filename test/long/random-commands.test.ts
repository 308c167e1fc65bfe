/** A rebuild from the log yields the view that commands left. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { allCommands } from '../../src/commands/index.ts'
import type { IssueRow } from '../../src/view/index.ts'
import { createCommandSandbox } from '../support/command-runner.ts'
import { checkBytes, dumpStore } from '../support/log.ts'

/** One command; `pick` selects an existing issue. */
type Action = readonly [name: string, pick: number, input: Readonly<Record<string, unknown>>]

// At most one value per field: a command with two is rejected.
const fieldWord = fc.constantFrom('a', 'priority:P0', 'priority:P2')
const otherWord = fc.constantFrom('b', 'x y', '😀')
const words = fc
  .tuple(fc.option(fieldWord, { nil: undefined }), fc.uniqueArray(otherWord))
  .map(([field, others]) => (field === undefined ? others : [field, ...others]))
const action: fc.Arbitrary<Action> = fc.oneof(
  fc.tuple(fc.constant('issue create'), fc.nat(), fc.record({ title: fc.constantFrom('t', 'u\0'), label: words })),
  fc.tuple(
    fc.constantFrom('issue label add', 'issue label remove'),
    fc.nat(),
    fc.record({ label: words.filter(({ length }) => length > 0) }),
  ),
  fc.tuple(
    fc.constantFrom('issue assignee add', 'issue assignee remove'),
    fc.nat(),
    fc.record({ user: fc.tuple(fc.constantFrom('ann', 'bo')) }),
  ),
  fc.tuple(fc.constantFrom('issue close', 'issue reopen'), fc.nat(), fc.constant({})),
  fc.tuple(fc.constant('issue comment'), fc.nat(), fc.record({ body: fc.constantFrom('one', 'two') })),
  fc.tuple(fc.constant('issue update'), fc.nat(), fc.record({ title: fc.constantFrom('v', 'w') })),
)

test('a rebuild equals the view after random commands', async (t) => {
  const seed = Number(process.env.FC_SEED ?? Date.now() % 0x7fff_ffff)
  t.diagnostic(`seed ${seed}`)
  const takesSeveral = (name: string) =>
    allCommands.find((command) => command.name === name)?.arguments.issue?.repeatable === true
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 3, maxLength: 12 }), async (actions) => {
      const cleanUps: (() => unknown)[] = []
      const { run, path, git, withRepository, warnings } = createCommandSandbox({
        after: (work) => void cleanUps.push(work),
      })
      try {
        await run('issue create', { title: 'first' })
        let shown: readonly string[] = []
        for (const [name, pick, input] of actions) {
          if (shown.length === 0 || pick % 3 === 0) {
            shown = ((await run('issue list')) as { issues: IssueRow[] }).issues.map(({ issue_id }) => issue_id)
          }
          const issue = shown[pick % shown.length] as string
          await run(name, name === 'issue create' ? input : { ...input, issue: takesSeveral(name) ? [issue] : issue })
        }
        const live = await withRepository(async (repository) => dumpStore((await repository.view()).store))
        assert.ok(Object.keys(live).length > 4)
        assert.deepEqual(
          await withRepository(async (repository) => dumpStore((await repository.rebuild()).store)),
          live,
        )
        assert.deepEqual(warnings, [])
        git(path, 'fsck', '--strict', '--no-dangling')
        checkBytes(path)
      } finally {
        for (const work of cleanUps) await work()
      }
    }),
    { numRuns: 6, seed },
  )
})
