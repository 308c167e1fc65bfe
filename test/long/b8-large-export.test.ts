/** Exports of any size are written in pieces, so that no document must fit into one string. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { exportLog } from '../../src/commands/export.ts'
import { jsonPieces } from '../../src/tracker/export/json-pieces.ts'
import { writeOutputFile } from '../../src/tracker/local/write-file-atomically.ts'
import { createGriteSandbox, gritePath } from '../contract/grite-process.ts'
import { createSandbox } from '../git/temp-repository.ts'
import { commandRunner } from '../support/command-runner.ts'

const mib = 1024 * 1024

describe('large exports', { concurrency: 1 }, () => {
  const place = createGriteSandbox({ after })
  const { run, withRepository } = commandRunner({ cwd: place.path, env: place.environment })
  const files = [3 * mib + 1, 5 * mib].map((size) => randomBytes(size))
  const read = (name: string) => readFileSync(join(place.path, name), 'utf8')

  before(async () => {
    const stdin = Array.from({ length: 600 }, (_, index) =>
      JSON.stringify({ op: 'create', title: `Issue ${index} \u{1f600}`, body: '"\\\n\t\u0001', labels: ['a', 'b'] }),
    ).join('\n')
    await commandRunner({ cwd: place.path, env: place.environment, stdin }).run('batch')
    const { issues } = (await run('issue list')) as { issues: readonly { issue_id: string }[] }
    for (const [index, content] of files.entries()) {
      writeFileSync(join(place.dir, `file${index}`), content)
      await run('issue attachment add', { issue: issues[index]?.issue_id, file: join(place.dir, `file${index}`) })
    }
  })

  test('an export equals JSON.stringify in a file, a pipe and an envelope', async () => {
    await run('export', { format: 'json', attachments: true, output: 'all.json' })
    const text = read('all.json')
    const parsed = JSON.parse(text)
    assert.equal(text, `${JSON.stringify(parsed, null, 2)}\n`)
    const sizes = [parsed.issues.length, parsed.events.length, parsed.meta.event_count]
    assert.deepEqual(sizes, [600, 602, 602])
    assert.deepEqual(
      parsed.attachments,
      Object.fromEntries(
        parsed.events.flatMap(({ kind }: { kind: { AttachmentAdded?: { sha256: string } } }) => {
          const sha256 = kind.AttachmentAdded?.sha256
          const content = files.find((file) => createHash('sha256').update(file).digest('hex') === sha256)
          return sha256 === undefined ? [] : [[sha256, content?.toString('base64')]]
        }),
      ),
    )
    const withoutTime = (printed: string) => printed.replace(/"generated_ts": \d+/, '')
    const piped = place.grite('export', '--format=json', '--attachments').stdout
    assert.equal(withoutTime(piped), withoutTime(text))
    const document = place.grite('export', '--format=json', '--attachments', '--json').stdout
    assert.equal(document, `${JSON.stringify(JSON.parse(document))}\n`)
    assert.deepEqual(JSON.parse(document).data.content.attachments, parsed.attachments)
  })

  for (const from of ['a file', 'a file whose slashes are escaped', 'a stream larger than the memory buffer']) {
    test(`an export is restored completely from ${from}`, async (t) => {
      const other = createSandbox(t)
      other.git(other.dir, 'init', '-q', '-b', 'main', 'repository')
      const [text, cwd] = [read('all.json'), join(other.dir, 'repository')]
      const stdin = from.startsWith('a file') ? {} : { stdin: text }
      writeFileSync(join(other.dir, 'escaped.json'), text.replaceAll('/', '\\/'))
      const restored = commandRunner({ cwd, env: other.environment, ...stdin })
      const escaped = from.startsWith('a file') ? join(other.dir, 'escaped.json') : '-'
      const file = from === 'a file' ? join(place.path, 'all.json') : escaped
      const counts = (await restored.run('import', { file })) as Record<string, unknown>
      assert.deepEqual(
        [counts.created, counts.updated, counts.unchanged, counts.event_count, counts.malformed],
        [600, 0, 0, 602, 0],
      )
      const again = (await restored.run('import', { file })) as Record<string, unknown>
      assert.deepEqual([again.created, again.unchanged, again.event_count, again.commit_count], [0, 600, 0, 0])
      await restored.run('export', { format: 'json', attachments: true, output: 'all.json' })
      const { meta, ...rest } = JSON.parse(text)
      const back = JSON.parse(readFileSync(join(cwd, 'all.json'), 'utf8'))
      assert.deepEqual({ ...back, meta: null }, { meta: null, ...rest })
      assert.equal(back.meta.event_count, meta.event_count)
      assert.deepEqual(
        readdirSync(join(cwd, '.git/grite')).filter((name) => name.endsWith('.tmp')),
        [],
      )
    })
  }

  test('import of a truncated export restores nothing', async (t) => {
    const other = createSandbox(t)
    other.git(other.dir, 'init', '-q', '-b', 'main', 'repository')
    const cwd = join(other.dir, 'repository')
    const text = read('all.json')
    const runner = commandRunner({ cwd, env: other.environment, stdin: text.slice(0, text.length / 2) })
    await assert.rejects(runner.run('import', { file: '-' }), { code: 'invalid_args' })
    assert.equal(other.git(cwd, 'for-each-ref').trim(), '')
  })

  test('an export is built in pieces smaller than 1 MiB', async () => {
    const lengths: number[] = []
    await withRepository(async (repository) => {
      const context = { ...repository.facts, text: {}, repository: async () => repository }
      const { data } = await exportLog.run(context as never, { format: 'json', attachments: true } as never)
      for await (const { length } of jsonPieces(data)) lengths.push(length)
    })
    const longest = lengths.reduce((most, length) => Math.max(most, length), 0)
    assert.ok(longest < mib && lengths.reduce((sum, length) => sum + length, 0) > 11 * mib, String(longest))
  })

  test('an export that does not fit on the disk keeps the old file', () => {
    writeFileSync(join(place.path, 'backup.json'), 'old')
    const before = readdirSync(place.path)
    const words = 'export --format json --attachments --output backup.json --json'
    const script = `ulimit -f 2048; exec '${process.execPath}' '${gritePath}' ${words}`
    const { status, stderr } = spawnSync('bash', ['-c', script], {
      cwd: place.path,
      env: place.environment,
      encoding: 'utf8',
    })
    assert.equal(status, 5, stderr)
    assert.equal(JSON.parse(stderr).error.details.path, join(place.path, 'backup.json'))
    assert.equal(read('backup.json'), 'old')
    assert.deepEqual(readdirSync(place.path), before)
  })

  test('an export omits an unreadable attachment with a warning', async () => {
    const oid = place.git(place.path, 'hash-object', join(place.dir, 'file1')).trim()
    truncateSync(join(place.path, `.git/objects/${oid.slice(0, 2)}/${oid.slice(2)}`), 1000)
    const { status, stdout } = place.grite('export', '--format=json', '--attachments', '--json')
    const { data, warnings } = JSON.parse(stdout)
    assert.equal(status, 0)
    assert.equal(Object.keys(data.content.attachments).length, 1)
    assert.deepEqual(
      warnings.map(({ code }: { code: string }) => code),
      ['attachment-unread'],
    )
  })
})

test('an interrupted export removes its temporary file', async (t) => {
  const { dir } = createSandbox(t)
  const interrupt = new AbortController()
  async function* pieces(): AsyncGenerator<string> {
    yield 'the first half'
    assert.equal(readdirSync(dir).length, before + 1)
    interrupt.abort()
    // The process may end now.
    assert.equal(readdirSync(dir).length, before)
    yield 'the second half'
  }
  const before = readdirSync(dir).length
  await assert.rejects(writeOutputFile(join(dir, 'out.json'), pieces(), { interrupted: interrupt.signal }), {
    code: 'io_error',
  })
  assert.equal(readdirSync(dir).length, before)
})
