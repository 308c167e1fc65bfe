/** A damaged log or view: sound data stays visible, damage is reported by id, and nothing is deleted. */
import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { encodeCbor } from '../../src/model/cbor.ts'
import { blake2b256, encodeChunk, formatHex, hashChunk } from '../../src/model/index.ts'
import { createLineSandbox, type GriteSandbox } from './grite-process.ts'
import { jsonContract, keyFaults } from './json-contract.ts'
import { schemaFaults } from './schemas.ts'

/** Appends a commit with this chunk to the log, using only git plumbing. Returns the commit. */
function appendChunk({ path, git, gitWith }: GriteSandbox, chunk: Uint8Array, name = hashChunk(chunk)): string {
  const parent = git(path, 'rev-parse', 'refs/grite/wal')
  const meta = { schema_version: 1, actor_id: 'ab'.repeat(16), chunk_hash: hashChunk(chunk), prev_wal: parent }
  const blob = (content: string | Uint8Array) => gitWith(content, path, 'hash-object', '-w', '--stdin')
  const tree = (...entries: string[]) => gitWith(entries.join('\n'), path, 'mktree')
  const day = tree(`100644 blob ${blob(chunk)}\t${name}.bin`)
  const events = ['01', '01', '2026'].reduce((below, folder) => tree(`040000 tree ${below}\t${folder}`), day)
  const root = tree(`040000 tree ${events}\tevents`, `100644 blob ${blob(JSON.stringify(meta))}\tmeta.json`)
  const commit = git(path, 'commit-tree', root, '-p', parent, '-m', 'WAL: 1 events')
  git(path, 'update-ref', 'refs/grite/wal', commit)
  return commit
}

/** Makes a record with a correct id, for any kind and payload. */
function makeRecord(
  tag: number,
  payload: readonly string[],
): { readonly eventId: string; readonly record: Uint8Array } {
  const shared = [new Uint8Array(16).fill(1), new Uint8Array(16).fill(2), 5, null, tag, payload]
  const eventId = blake2b256(encodeCbor([1, ...shared]))
  return { eventId: formatHex(eventId), record: encodeCbor([eventId, ...shared, null]) }
}

interface Damage {
  readonly title: string
  readonly write: (place: GriteSandbox) => string
}

const damages: readonly Damage[] = [
  {
    title: 'a chunk that does not match its name',
    write(place) {
      const chunk = Buffer.from(encodeChunk([makeRecord(3, ['x']).record]))
      chunk[chunk.length - 3] = (chunk[chunk.length - 3] as number) ^ 1
      return appendChunk(place, chunk, 'ab'.repeat(32)).slice(0, 12)
    },
  },
  {
    title: 'a file that is not a chunk',
    write: (place) => appendChunk(place, Buffer.from('not a chunk')).slice(0, 12),
  },
  {
    title: 'an event of an unknown kind',
    write(place) {
      const { eventId, record } = makeRecord(99, ['x'])
      appendChunk(place, encodeChunk([record]))
      return eventId
    },
  },
  {
    title: 'an event with a surplus field',
    write(place) {
      const { eventId, record } = makeRecord(3, ['x', 'y'])
      appendChunk(place, encodeChunk([record]))
      return eventId
    },
  },
]

for (const { title, write } of damages) {
  test(`${title} is reported and the other events are used`, (t) => {
    const place = createLineSandbox(t)
    const before = place.create('Before')
    const named = write(place)
    const shown = place.grite('issue', 'list', '--json')
    assert.equal(shown.status, 0, shown.stderr)
    assert.equal(shown.stderr, '')
    assert.match(JSON.parse(shown.stdout).warnings[0].message, new RegExp(named))
    assert.equal(JSON.parse(shown.stdout).data.total, 1)
    const after = place.create('After')
    place.data('issue', 'close', before)
    assert.equal(place.data('issue', 'show', after).issue.title, 'After')

    const checked = place.grite('db', 'check', '--json')
    assert.equal(checked.status, 1)
    const { data } = JSON.parse(checked.stdout)
    assert.deepEqual(keyFaults(jsonContract['db check'] ?? {}, data), [])
    assert.deepEqual(schemaFaults('db check', 'data', data), [])
    assert.equal(data.corrupt_count, 1)
    const people = place.grite('db', 'check')
    assert.equal(people.status, 1)
    assert.match(
      people.stdout,
      /^The log is damaged: 1 place, 4 events checked\. The rest is usable\.\n {2}(event|object) /,
    )

    const rebuilt = place.grite('rebuild', '--json')
    assert.deepEqual([rebuilt.status, JSON.parse(rebuilt.stdout).data.issue_count], [0, 2])
    assert.match(rebuilt.stdout, new RegExp(named))
  })
}

/** Returns the view directory and the LevelDB directory in use. Removes the rows files, so that the next read opens it. */
function viewFolder({ data }: GriteSandbox): { readonly level: string; readonly current: string } {
  const level = data('db', 'stats').path as string
  for (const name of readdirSync(level)) if (name.startsWith('rows')) rmSync(join(level, name))
  return { level, current: join(level, readFileSync(join(level, 'current'), 'utf8').trim()) }
}

const damagedViews: readonly (readonly [title: string, damage: (current: string) => void])[] = [
  [
    'with a damaged manifest',
    (current) => {
      const manifest = readdirSync(current).find((name) => name.startsWith('MANIFEST')) as string
      writeFileSync(join(current, manifest), 'no manifest')
    },
  ],
  ['without CURRENT', (current) => rmSync(join(current, 'CURRENT'))],
  [
    'with foreign files only',
    (current) => {
      rmSync(current, { recursive: true })
      mkdirSync(current)
      writeFileSync(join(current, 'thesis.txt'), 'years of work')
    },
  ],
]

for (const [title, damage] of damagedViews) {
  test(`a view directory ${title} is rebuilt and kept aside`, (t) => {
    const place = createLineSandbox(t)
    const id = place.create('Kept')
    const { level, current } = viewFolder(place)
    damage(current)
    const left = readdirSync(current).filter((name) => !/^LOG|^LOCK/.test(name))
    const { status, stdout, stderr } = place.grite('issue', 'list', '--json')
    assert.equal(status, 0, stderr)
    assert.equal(JSON.parse(stdout).data.issues[0].issue_id, id)
    assert.equal(stderr, '')
    for (const { message } of JSON.parse(stdout).warnings ?? []) assert.match(message, /aside/)
    const kept = readdirSync(level, { recursive: true }).map((name) => basename(String(name)))
    for (const name of left) assert.ok(kept.includes(name), name)
    assert.equal(place.grite('issue', 'list').stderr, '')
  })
}

test('a LevelDB of another program is kept aside, not used as view', async (t) => {
  const place = createLineSandbox(t)
  place.create('Kept')
  const { level, current } = viewFolder(place)
  const { ClassicLevel } = await import('classic-level')
  rmSync(current, { recursive: true })
  const foreign = new ClassicLevel(current)
  await foreign.put('theirs', 'precious')
  await foreign.close()
  const { status, stdout } = place.grite('issue', 'list', '--json')
  assert.deepEqual([status, JSON.parse(stdout).data.total], [0, 1])
  const aside = /moved it to (\S+) and rebuilding it/.exec(stdout)?.[1] ?? ''
  const store = new ClassicLevel(aside, { createIfMissing: false })
  assert.equal(await store.get('theirs'), 'precious')
  await store.close()
  assert.ok(readdirSync(level).includes(basename(aside)))
})

test('reading works with a file in place of the view', (t) => {
  const place = createLineSandbox(t)
  place.create('Kept')
  const { level } = viewFolder(place)
  rmSync(level, { recursive: true })
  appendFileSync(level, 'a file')
  const { status, stdout, stderr } = place.grite('issue', 'list', '--json')
  assert.equal(status, 0, stderr)
  assert.equal(JSON.parse(stdout).data.total, 1)
})
