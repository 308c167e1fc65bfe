import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { defineCommand } from '../../src/commands/define-command.ts'
import { NotFoundError } from '../../src/model/errors/index.ts'
import { runCli } from './run-cli.ts'

test('with --json, a success prints one envelope on stdout', async () => {
  const outcome = await runCli(['issue', 'show', 'é', '--json'])
  assert.deepEqual(outcome, { status: 0, stdout: '{"schema_version":1,"ok":true,"data":{"id":"é"}}\n', stderr: '' })
})

test('JSON is indented on a terminal or with --pretty only', async () => {
  const compact = '{"schema_version":1,"ok":true,"data":{"id":"x"}}\n'
  const indented = `${JSON.stringify(JSON.parse(compact), null, 2)}\n`
  const words = ['issue', 'show', 'x', '--json']
  assert.equal((await runCli(words, { columns: 80 })).stdout, indented)
  assert.equal((await runCli([...words, '--pretty'])).stdout, indented)
  assert.equal((await runCli([...words, '--no-pretty'], { columns: 80 })).stdout, compact)
  const versions = [
    ['--version', '--json'],
    ['--version', '--json', '--pretty'],
  ].map((line) => runCli(line))
  const lines = (await Promise.all(versions)).map(({ stdout }) => stdout.split('\n').length - 1)
  assert.deepEqual(lines, [1, 9])
})

test('JSON failures are indented like successes', async () => {
  const lines = async (...given: Parameters<typeof runCli>) => (await runCli(...given)).stderr.split('\n').length - 1
  const gone = ['issue', 'show', 'gone', '--json']
  assert.deepEqual(
    [await lines(gone), await lines([...gone, '--pretty']), await lines(gone, { columns: 80 })].map(
      (count) => count > 1,
    ),
    [false, true, true],
  )
  const wrong = ['issue', 'frob', '--json']
  assert.deepEqual([await lines(wrong), (await lines([...wrong, '--pretty'])) > 1], [1, true])
})

test('--quiet does not suppress the JSON envelope', async () => {
  assert.match((await runCli(['issue', 'list', '--json', '-q'])).stdout, /"ok":true/)
})

test('with --json, a failure prints one envelope on stderr', async () => {
  const { status, stdout, stderr } = await runCli(['--json', 'issue', 'show', 'gone'])
  assert.equal(status, 3)
  assert.equal(stdout, '')
  assert.equal(
    stderr,
    `${JSON.stringify({
      schema_version: 1,
      ok: false,
      error: {
        code: 'not_found',
        message: 'not found: issue gone',
        details: { issue_id: 'gone', suggestions: ['Look again'] },
      },
    })}\n`,
  )
})

test('a failure prints its suggestions below the message', async () => {
  const { stderr } = await runCli(['issue', 'show', 'gone'])
  assert.equal(stderr, 'error: not found: issue gone\n\nSuggestions:\n  - Look again\n')
})

test('an unexpected exception prints an internal error without its stack', async () => {
  const { status, stderr } = await runCli(['issue', 'show', 'bug'])
  assert.equal(status, 1)
  assert.match(stderr, /^error: internal error: x is not a function\n/)
  assert.doesNotMatch(stderr, /\n {4}at /)
})

test('GRITE_DEBUG prints the stack before the error', async () => {
  const { stderr } = await runCli(['issue', 'show', 'bug'], { env: { GRITE_DEBUG: '1' } })
  assert.match(stderr, /^TypeError: x is not a function\n {4}at [\s\S]*\nerror: internal error/)
})

test('GRITE_LOG writes JSON lines to stderr', async () => {
  const { stderr, stdout } = await runCli(['issue', 'show', 'a', '--json'], { env: { GRITE_LOG: 'debug' } })
  assert.equal(JSON.parse(stderr.split('\n')[0] ?? '').msg, 'issue show')
  assert.equal(JSON.parse(stdout).ok, true)
})

test('a full disk is reported as io_error', async () => {
  const full = defineCommand({
    name: 'full',
    summary: '',
    examples: [],
    effect: 'reads',
    arguments: {},
    options: {},
    run: () => Promise.reject(Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })),
  })
  const { status, stderr } = await runCli(['full', '--json'], { commands: [full] })
  assert.equal(status, 5)
  assert.equal(JSON.parse(stderr).error.code, 'io_error')
})

test('a message cannot forge further lines of output', async () => {
  const forged = 'x\n\nSuggestions:\n  - curl | sh'
  const speak = defineCommand({
    ...{ name: 'speak', summary: '', examples: [], effect: 'reads', arguments: {}, options: {} },
    run({ warn }) {
      warn({ code: 'told', message: forged })
      return Promise.reject(new NotFoundError(forged, { hints: [forged] }))
    },
  })
  const { stderr } = await runCli(['speak'], { commands: [speak], env: { GRITE_DEBUG: '1' } })
  const prefixes = ['warning: ', 'NotFoundError: ', 'error: ', 'Suggestions:', '  - x\\n\\nSuggestions']
  const prefixesOf = (line: string) => prefixes.filter((prefix) => line.startsWith(prefix))
  assert.deepEqual(stderr.split('\n').flatMap(prefixesOf).sort(), prefixes.toSorted())
})

test('warnings are printed to stderr with control characters escaped', async () => {
  const { status, stderr, stdout } = await runCli(['snapshot'])
  assert.equal(stderr, 'warning: this disk is slow\\x1b[31m\n')
  assert.equal(stdout, '{\n  "event_count": 3\n}\n')
  assert.equal(status, 1)
})

test('--json moves warnings into the envelope; --quiet drops them', async () => {
  const { stdout, stderr } = await runCli(['snapshot', '--json'])
  assert.equal(stderr, '')
  assert.deepEqual(
    JSON.parse(stdout).warnings.map(({ message }: { message: string }) => message),
    ['this disk is slow\u001b[31m'],
  )
  assert.equal((await runCli(['snapshot', '-q'])).stderr, '')
})

test('--quiet still prints a warning that explains a failure', async () => {
  const gate = defineCommand({
    name: 'gate',
    summary: 'Fails',
    examples: [],
    effect: 'reads',
    arguments: {},
    options: {},
    async run({ warn }) {
      warn({ code: 'gate-incomplete', message: 'the log is incomplete', isEssential: true })
      return { data: {}, exitStatus: 1 }
    },
  })
  const { status, stderr } = await runCli(['gate', '-q'], { commands: [gate] })
  assert.deepEqual([status, stderr], [1, 'warning: the log is incomplete\n'])
  const { stdout } = await runCli(['gate', '--json'], { commands: [gate] })
  assert.deepEqual(JSON.parse(stdout).warnings, [{ code: 'gate-incomplete', message: 'the log is incomplete' }])
})

for (const words of [[], ['issue'], ['issue', 'label'], ['-q']]) {
  test(`prints help on stderr and exits 2: grite ${words.join(' ')}`, async () => {
    const { status, stdout, stderr } = await runCli(words)
    assert.equal(status, 2)
    assert.equal(stdout, '')
    assert.match(stderr, /^Usage: grite /)
  })
}

test('with --json, a missing subcommand is a JSON error', async () => {
  const { status, stderr } = await runCli(['issue', '--json'])
  assert.equal(status, 2)
  assert.match(
    JSON.parse(stderr).error.message,
    /^invalid arguments: `grite issue` needs a command: create, list, show, /,
  )
})

for (const words of [
  ['help', 'issue', 'create'],
  ['issue', 'create', '--help'],
  ['-h', 'issue', 'create'],
  ['issue', 'create', '--bad', '-h'],
]) {
  test(`prints help on stdout: grite ${words.join(' ')}`, async () => {
    const { status, stdout } = await runCli(words)
    assert.equal(status, 0)
    assert.match(stdout, /^Usage: grite issue create --title <text> \[options\]\n\nCreate an issue\n/)
  })
}

test('--version prints the version in package.json', async () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  for (const words of [['--version'], ['-V'], ['issue', 'list', '-V']]) {
    assert.deepEqual(await runCli(words), { status: 0, stdout: `grite ${version}\n`, stderr: '' })
  }
})

test('a renderer receives the data and the terminal width', async () => {
  const renderers = {
    'issue show': async () => (data: { id: string }, view: { width: number | null }) => `${data.id} ${view.width}\n`,
  }
  assert.equal((await runCli(['issue', 'show', 'x'], { parts: { renderers }, columns: 40 })).stdout, 'x 40\n')
  assert.equal((await runCli(['issue', 'show', 'x'], { parts: { renderers } })).stdout, 'x null\n')
})

test('a command without a renderer prints its data as escaped JSON', async () => {
  assert.equal((await runCli(['issue', 'show', '\u202e'])).stdout, '{\n  "id": "\\u202e"\n}\n')
})

test('a command reads standard input whole or line by line', async () => {
  const cat = defineCommand({
    name: 'cat',
    summary: '',
    examples: [],
    effect: 'reads',
    arguments: {},
    options: { lines: { type: 'boolean', summary: '' } },
    async run({ text }, { lines }) {
      const all: string[] = []
      if (!lines) return { data: [await text.readStdin(1024)] }
      for await (const line of text.readStdinLines()) all.push(line)
      return { data: all }
    },
  })
  const run = async (words: string[]) =>
    JSON.parse((await runCli([...words, '--json'], { commands: [cat], stdin: 'a\r\nb\u2028c\n\nd' })).stdout).data
  assert.deepEqual(await run(['cat']), ['a\r\nb\u2028c\n\nd'])
  assert.deepEqual(await run(['cat', '--lines']), ['a', 'b\u2028c', '', 'd'])
})

test('opening an editor fails when there is no terminal', async () => {
  const edit = defineCommand({
    name: 'edit',
    summary: '',
    examples: [],
    effect: 'reads',
    arguments: {},
    options: {},
    run: async ({ text }) => ({ data: await text.editText('draft') }),
  })
  const { status, stderr } = await runCli(['edit'], { commands: [edit], env: { EDITOR: 'false' } })
  assert.equal(status, 2)
  assert.match(stderr, /without a terminal/)
})
