/** Stream ids of every kind through the command line: kept as they are, escaped where shown, and never a path or a ref. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { makeVisible } from '../../src/model/index.ts'
import { encodeStreamId } from '../../src/model/streams/index.ts'
import { type CliOutcome, runCli } from '../cli/run-cli.ts'
import { createGriteSandbox } from '../contract/grite-process.ts'

const ids = [
  ...[
    'a/b',
    'a_b',
    'a:b',
    '..',
    '../../escape',
    '/etc/passwd',
    './x',
    'a//b/',
    'A',
    'a',
    'x.lock',
    'HEAD',
    '@',
    '@{0}',
  ],
  ...[
    'a@{1}',
    'a@3',
    'refs/heads/main',
    'con',
    'NUL.txt',
    'a\\b',
    'c:\\x',
    'a b',
    ' a',
    'a ',
    '*',
    '?',
    '~^:',
    '$(id)',
    '`id`',
  ],
  ...[
    '-x',
    '--json',
    '--',
    '%2e%2e',
    'é',
    'e\u0301',
    '\ud83d\ude00',
    'a\u0000b',
    'a\nb',
    'a\tb',
    '\u001b[31mred',
    '\u009b1m',
  ],
  ...['\u202eoverride', 'zero\u200bwidth', '"', "'", '<b>', '|', 'a'.repeat(512), '\u{1f600}'.repeat(128), 'name.0'],
]

/** What no terminal may see: controls except ends of lines and columns, and invisible characters. */
const unsafe = /(?![\n\t])[\p{Cc}\p{Zl}\p{Zp}\u200b-\u200f\u202a-\u202e\u2066-\u2069]/u

const place = (t: Parameters<typeof createGriteSandbox>[0]) => {
  const { path, environment } = createGriteSandbox(t)
  const facts = {
    cwd: () => path,
    nowUnixMs: Date.now,
    randomBytes: (count: number) => crypto.getRandomValues(new Uint8Array(count)),
  }
  const parts = { commands: undefined, renderers: undefined } as unknown as NonNullable<
    Parameters<typeof runCli>[1]
  >['parts']
  const grite = async (words: readonly string[], columns?: number): Promise<CliOutcome> =>
    await runCli(words, {
      env: environment,
      facts,
      ...(parts && { parts }),
      ...(columns === undefined ? {} : { columns }),
    })
  return { path, grite }
}

test('every id names a stream of its own, and nothing else', async (t) => {
  const { path, grite } = place(t)
  const run = async (...words: readonly string[]) => {
    const outcome = await grite(words)
    assert.deepEqual([outcome.status, outcome.stderr], [0, ''], JSON.stringify(words))
    assert.doesNotMatch(outcome.stdout, unsafe, JSON.stringify(words))
    return outcome.stdout
  }
  const before = paths(path)
  for (const [index, id] of ids.entries()) {
    await run('stream', 'create', '--', id)
    await run('stream', 'append', '--', id, `text ${index}`)
    assert.equal((await run('consume', '-q', '--', id)).trim(), `text ${index}`)
    const shown = await run('stream', 'show', '--', id)
    assert.equal(shown.includes(id), makeVisible(id) === id)
    const again = await grite(['stream', 'create', '--', id])
    assert.equal(again.status, 4, again.stderr)
    assert.doesNotMatch(again.stderr, unsafe)
  }
  for (const format of ['text', 'mermaid', 'dot']) await run('stream', 'graph', '--format', format)
  assert.doesNotMatch((await grite(['stream', 'list'], 80)).stdout.replaceAll(/\u001b\[[\d;]*m/g, ''), unsafe)
  const { data } = JSON.parse((await grite(['stream', 'list', '--json', '--limit=1000'])).stdout)
  assert.deepEqual(data.streams.map(({ stream }: { stream: string }) => stream).toSorted(), ids.toSorted())
  const encoded = new Set(ids.map(encodeStreamId))
  assert.equal(encoded.size, ids.length)
  for (const made of paths(path).filter((name) => !before.includes(name))) {
    const [, name] = /^\.git\/(?:refs\/grite|grite|logs\/refs\/grite)\/streams\/([0-9a-v]{32})\./.exec(made) ?? []
    const isOther = /^\.git\/(?:objects|grite|refs\/grite|logs|packed-refs)/.test(made)
    const isOfNone = isOther && (!made.includes('streams/') || made === '.git/grite/streams/heads')
    assert.ok(name === undefined ? isOfNone : encoded.has(name), made)
  }
})

test('an id that cannot be is refused, and shown escaped', async (t) => {
  const { path, grite } = place(t)
  const before = paths(path)
  for (const id of ['', ' ', '\n', '\u{1f600}'.repeat(129), `\u001b${'x'.repeat(512)}`]) {
    for (const words of [['create'], ['append', '--create'], ['show']]) {
      const { status, stdout, stderr } = await grite([
        'stream',
        ...words,
        '--',
        id,
        ...(words[0] === 'append' ? ['x'] : []),
      ])
      assert.deepEqual([status, stdout], [2, ''], stderr)
      assert.doesNotMatch(stderr, unsafe)
    }
  }
  assert.deepEqual(paths(path), before)
})

/** Every file of the repository. */
function paths(path: string): readonly string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => `${entry.parentPath}/${entry.name}`.slice(path.length + 1))
    .toSorted()
}
