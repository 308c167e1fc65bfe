/** Feeds: commands that print results while they run. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClosedPipeError } from '../../src/cli/process-facts.ts'
import { type AnyCommand, defineCommand } from '../../src/commands/define-command.ts'
import { NotFoundError } from '../../src/model/errors/index.ts'
import { runCli } from './run-cli.ts'

const count = defineCommand({
  name: 'count',
  summary: 'Count',
  examples: [],
  isFeed: true,
  effect: 'reads',
  arguments: { to: { summary: 'Last number' } },
  options: {},
  async run(context, { to }) {
    for (let number = 1; number <= Number(to); number++) {
      await context.emit({ number })
      if (number === 2) context.warn({ code: 'even', message: 'two is even\x07', details: { number } })
      if (number === 3) throw new NotFoundError('no number above 3', { hints: [] })
    }
    return { data: { numbers: Number(to) } }
  },
})
const commands = [count]

test('a feed prints one line of JSON per item and no envelope', async () => {
  const { status, stdout, stderr } = await runCli(['count', '2', '--json'], { commands })
  assert.deepEqual([status, stdout], [0, '{"number":1}\n{"number":2}\n'])
  assert.deepEqual(JSON.parse(stderr), {
    schema_version: 1,
    warning: { code: 'even', message: 'two is even\u0007', details: { number: 2 } },
  })
  assert.equal(stderr.split('\n').length, 2)
})

test('a feed renders its items and its end as text', async () => {
  const parts = {
    itemRenderers: {
      count:
        async () =>
        ({ number }: { number: number }) =>
          `number ${number}\n`,
    },
    renderers: {
      count:
        async () =>
        ({ numbers }: { numbers: number }) =>
          `${numbers} in all\n`,
    },
  }
  const { stdout, stderr } = await runCli(['count', '2'], { commands, parts })
  assert.equal(stdout, 'number 1\nnumber 2\n2 in all\n')
  assert.equal(stderr, 'warning: two is even\\x07\n')
})

test('a failing feed has already printed the items before the failure', async () => {
  const { status, stdout, stderr } = await runCli(['count', '9', '--json'], { commands })
  assert.deepEqual([status, stdout.split('\n').length], [3, 4])
  const [warning = '', ...failure] = stderr.split('\n')
  assert.equal(JSON.parse(warning).warning.code, 'even')
  const { ok, error, warnings } = JSON.parse(failure.join('\n'))
  assert.deepEqual([ok, error.code, warnings], [false, 'not_found', undefined])
})

test('a feed ends silently when its reader closes the pipe', async () => {
  let written = ''
  const closed = {
    write: async (text: string) => {
      if (written !== '') throw new ClosedPipeError()
      written += text
    },
  }
  const { status, stderr } = await runCli(['count', '9', '--json'], { commands, stdout: closed })
  assert.deepEqual([status, written, stderr], [0, '{"number":1}\n', ''])
})

test('a command not declared as a feed must not emit items', async () => {
  const plain: AnyCommand = { ...(count as AnyCommand), isFeed: false }
  const { status, stdout, stderr } = await runCli(['count', '1', '--json'], {
    commands: [plain],
  })
  assert.deepEqual([status, stdout], [1, ''])
  assert.match(JSON.parse(stderr).error.message, /count is not a feed/)
})

test('a feed may print bytes in a form of its own', async () => {
  const bytes = defineCommand({
    name: 'bytes',
    summary: 'Print bytes',
    examples: [],
    isFeed: true,
    effect: 'reads',
    arguments: {},
    options: {},
    async run({ output }) {
      await output?.write(Buffer.from(`terminal: ${output.isTerminal}\0`))
      return { data: null }
    },
  })
  const parts = { renderers: { bytes: async () => () => '' } }
  const outcome = await runCli(['bytes'], { commands: [bytes], parts })
  assert.deepEqual([outcome.status, outcome.stdout], [0, 'terminal: false\0'])
  assert.equal((await runCli(['bytes'], { commands: [bytes], parts, columns: 80 })).stdout, 'terminal: true\0')
})

test('an interrupt waits for a command that ends by itself, and for its result', async () => {
  const gather = defineCommand({
    name: 'gather',
    summary: 'Gather until interrupted',
    examples: [],
    endsWhenInterrupted: true,
    effect: 'reads',
    arguments: {},
    options: {},
    async run({ interrupted }) {
      if (!interrupted.aborted) await new Promise((resolve) => interrupted.addEventListener('abort', resolve))
      return { data: { gathered: 2 }, exitStatus: 1 }
    },
  })
  const cleanups: (() => void | Promise<void>)[] = []
  const running = runCli(['gather', '--json'], {
    commands: [gather],
    onInterrupt: (cleanup) => void cleanups.push(cleanup),
  })
  while (cleanups.length < 2) await new Promise((resolve) => setImmediate(resolve))
  // Newest first, as the process runs them.
  for (const cleanup of cleanups.toReversed()) await cleanup()
  const { status, stdout } = await running
  assert.deepEqual([status, JSON.parse(stdout).data], [1, { gathered: 2 }])
})
