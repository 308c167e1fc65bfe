/** How many git objects a write adds. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { walRef } from '../../src/wal/index.ts'
import { type CommandRunner, commandRunner, createCommandSandbox } from '../support/command-runner.ts'

/** Runs commands in the same folder with other options, such as standard input or a disk. */
const runnerIn = ({ path }: { path: string }, env: Readonly<Record<string, string>>, more = {}): CommandRunner =>
  commandRunner({ cwd: path, env, ...more })

const titlesOf = async ({ run }: Pick<CommandRunner, 'run'>) =>
  ((await run('issue list')) as { issues: { title: string }[] }).issues.map(({ title }) => title).sort()

const objectCount = (text: string) => Number(/^count: (\d+)$/m.exec(text)?.[1]) + inPacks(text)
const inPacks = (text: string) => Number(/^in-pack: (\d+)$/m.exec(text)?.[1])

test('a batch of a hundred events adds one commit and eight objects', async (t) => {
  const place = createCommandSandbox(t)
  const { run, git, path, environment } = place
  const state = () => [objectCount(git(path, 'count-objects', '-v')), Number(git(path, 'rev-list', '--count', walRef))]
  await run('issue create', { title: 'first' })
  const [objects = 0, commits = 0] = state()
  const lines = Array.from({ length: 100 }, (_, index) => JSON.stringify({ op: 'create', title: `${index}` }))
  await runnerIn(place, environment, { stdin: lines.join('\n') }).run('batch')
  // Five trees, a chunk, its meta.json and the commit.
  assert.deepEqual(state(), [objects + 8, commits + 1])
  assert.equal((await titlesOf(place)).length, 101)
})
