/** Every kind of foreign file: valid examples, and a reader that checks its promises for any bytes. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { assembleCommit } from '../../src/git/assemble-commit.ts'
import { buildTree, encodeCommit, type Oid, parseCommit, parseTree } from '../../src/git/index.ts'
import { ExportIndexer, planRestore, RestoreTally, readExportedText } from '../../src/import/index.ts'
import {
  type ActorId,
  blake2b256,
  ConfigError,
  CorruptObjectError,
  type DecodedChunk,
  decodeChunk,
  describeWrongClock,
  type Event,
  type EventId,
  encodeChunk,
  encodeEventChunk,
  encodeRecord,
  foldIssue,
  formatHex,
  formatIssueState,
  formatKindForExport,
  formatLock,
  type GriteError,
  InvalidArgsError,
  type IssueId,
  identifyEvent,
  isCollectable,
  type Lock,
  lockStateAt,
  lockTerms,
  parseLock,
  planAcquire,
  projectContextIssueId,
  readCard,
  readSavedQuery,
} from '../../src/model/index.ts'
import { readRepoConfig } from '../../src/tracker/local/repo-config.ts'
import { issueCodec } from '../../src/wal/issue-log/issue-codec.ts'
import {
  formatSnapshotFacts,
  formatSnapshotReport,
  formatSnapshotSignature,
  parseSnapshotFacts,
  parseSnapshotReport,
  parseSnapshotSignature,
} from '../../src/wal/issue-log/snapshot/snapshot-codec.ts'
import { importFile, makeLog } from '../import/import-file.ts'
import { anyEvent } from '../model/arbitraries.ts'
import { cardEvent, signerOf } from './cards.ts'
import { batchOf, comment, creation, filesOf, issueId, makeEvent, segmentOfFiles } from './log.ts'
import { mutate, randomOf } from './mutate.ts'

export interface ForeignFile {
  readonly isText: boolean
  readonly valid: readonly Buffer[]
  /** Reads the file as the commands do. Fails when a promise is broken. */
  readonly read: (bytes: Buffer) => void | Promise<void>
}

const nowUnixMs = 1_900_000_000_000
const reasonLengthMax = 1200
const issue = issueId('a0')
const events: readonly Event[] = [
  creation(issue, 'title', ['bug']),
  comment(issue, 'words \u2028 of \u202e others'),
  ...fc.sample(anyEvent, { seed: 1, numRuns: 60 }),
]

function assertShort(...texts: readonly string[]): void {
  for (const text of texts) assert.ok(text.length <= reasonLengthMax, `a message of ${text.length} characters`)
}

/** Returns the result; null when the function rejects the file with a short error of the given class. */
async function orRefused<Result>(
  refusal: typeof GriteError,
  work: () => Result | Promise<Result>,
): Promise<Result | null> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof refusal)) throw error
    assertShort(error.message)
    return null
  }
}

/** Asserts that every event matches its id and can be shown. */
function readEvents({ events: found, damaged, problem }: DecodedChunk): void {
  for (const { event } of found) {
    assert.equal(identifyEvent(event).eventId, event.eventId)
    readCard(event, () => true)
    if (event.body.type === 'ProjectContextUpdated') readSavedQuery(event.body)
  }
  const ofIssues = found.map(({ event }) => event).filter(({ body }) => !isContext(body))
  for (const id of new Set(ofIssues.map(({ issueId: of }) => of))) {
    const own = ofIssues.filter((event) => event.issueId === id)
    formatIssueState(foldIssue(id, own))
  }
  assertShort(problem ?? '', ...damaged.map(({ reason }) => reason))
}

const files = filesOf(batchOf(events.slice(0, 5)), null)
const tree = buildTree('sha1', files)
const commit = encodeCommit('sha1', {
  tree: tree.root,
  parents: ['1'.repeat(40) as Oid],
  author: { name: 'grite', email: 'grit@local', unixSeconds: 1_700_000_000, offsetMinutes: 0 },
  message: 'WAL: 5 events from 0a0a0a0a',
})
const objects = new Map([...tree.objects, commit].map(({ oid, content }) => [oid, Buffer.from(content)]))
const objectOf = (type: string) =>
  tree.objects.filter((one) => one.type === type).map(({ content }) => Buffer.from(content))

/** Reads the commit with these bytes in place of one object. */
function readCommit(changed: Oid, bytes: Buffer): void {
  const lookUp = (oid: Oid) => (oid === changed ? bytes : (objects.get(oid) ?? 'missing'))
  const entry = assembleCommit('sha1', commit.oid, lookUp(commit.oid), lookUp)
  assert.ok(!('wanted' in entry))
  const { problems } = issueCodec.decode(entry)
  assertShort(entry.problem ?? '', ...problems.map(({ reason }) => reason))
}

function readSegment(path: string, bytes: Buffer): void {
  const { problems } = segmentOfFiles(new Map([...files, [path, bytes]]), 'e'.repeat(40))
  assertShort(...problems.map(({ reason }) => reason))
}

const locks: readonly Lock[] = [
  {
    ...{ owner: 'f'.repeat(32), nonce: 'n', expiresUnixMs: nowUnixMs + 60_000, resource: 'path:src' },
    ...{ ttlMs: 900_000, fence: nowUnixMs, claim: null },
  },
  {
    ...{ owner: 'e'.repeat(32), nonce: 'm', expiresUnixMs: 0, resource: `issue:${issue}`, ttlMs: null, fence: null },
    claim: { assignee: 'ann', sinceUnixMs: nowUnixMs, beside: ['a'.repeat(64) as EventId], stale: [] },
  },
]

function readLock(bytes: Buffer): void {
  const { lock, problem } = parseLock(bytes)
  if (lock === null) {
    assertShort(problem)
    return
  }
  const request = { owner: '0a'.repeat(16) as ActorId, resource: lock.resource, ttlMs: 60_000, nonce: 'x', nowUnixMs }
  for (const terms of Object.values(lockTerms)) {
    lockStateAt(lock, nowUnixMs, terms)
    describeWrongClock(lock, { committedAtUnixMs: nowUnixMs, nowUnixMs, terms })
    isCollectable(lock, { committedAtUnixMs: nowUnixMs, nowUnixMs })
    const plan = planAcquire(lock, { ...request, terms })
    if (plan.outcome === 'held') continue
    // From any fence, a practically unlimited number of holders can follow.
    assert.ok(Number.isSafeInteger((plan.lock.fence ?? 0) + 2 ** 51))
    assert.deepEqual(parseLock(formatLock(plan.lock)).lock, plan.lock)
  }
}

function entryOf({ eventId, issueId: id, actor, tsUnixMs, parent, body, sig }: Event): object {
  const facts = { event_id: eventId, issue_id: id, actor, ts_unix_ms: tsUnixMs, kind: formatKindForExport(body) }
  return { ...facts, ...(parent && { parent }), ...(sig && { sig: formatHex(sig) }) }
}

const exported = JSON.stringify({
  meta: { schema_version: 1 },
  issues: [],
  events: events.slice(0, 20).map(entryOf),
  attachments: { ['3'.repeat(64)]: 'aGk=' },
})

async function readExport(bytes: Buffer): Promise<void> {
  await orRefused(InvalidArgsError, async () => {
    const indexer = new ExportIndexer()
    for (let at = 0; at < bytes.length; at += 1000) indexer.push(bytes.subarray(at, at + 1000))
    const index = indexer.finish()
    assertShort(...index.skipped.map(({ reason }) => reason))
    const readRange = async ({ start, end }: { start: number; end: number }) => bytes.subarray(start, end)
    const nothing = { findKnown: async () => new Set<EventId>(), findCreated: async () => new Set<IssueId>() }
    for await (const group of planRestore(index, readRange, nothing, new RestoreTally())) {
      for (const event of group) assert.equal(identifyEvent(event).eventId, event.eventId)
    }
    for (const { start, end } of index.attachments.values()) readExportedText(bytes.subarray(start, end))
  })
}

async function readBeads(bytes: Buffer): Promise<void> {
  const log = makeLog()
  const { steps } = await importFile(log, bytes)
  for (const step of steps) if (step.outcome === 'malformed') assertShort(step.reason)
  for (const [id, own] of log.byIssue) formatIssueState(foldIssue(id, own))
  // Planned events can be written and read back.
  if (log.events.length > 0) assert.deepEqual(decodeChunk(encodeEventChunk(log.events)).damaged, [])
}

const config = `default_actor = "${'0a'.repeat(16)}"
lock_policy = "warn"
verify_signatures = "off"
[snapshot]
max_events = 10000
max_age_days = 7
auto = true
[sync]
remote = "origin"
[lease]
remote = "origin"
`

async function readConfig(bytes: Buffer): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'grite-config-'))
  try {
    const path = join(folder, 'config.toml')
    writeFileSync(path, bytes)
    await orRefused(ConfigError, () => readRepoConfig(path))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** File contexts and project values belong to no issue. */
const isContext = ({ type }: Event['body']) => type === 'ContextUpdated' || type === 'ProjectContextUpdated'
const textOf = (bytes: Buffer) => bytes.toString('utf8')
const buffers = (...texts: readonly string[]) => texts.map((text) => Buffer.from(text))
const sampleImport = readFileSync(new URL('../../fixtures/import/sample.jsonl', import.meta.url))
const carriedMeta = `{"schema_version":1,"actor_id":"${'0a'.repeat(16)}","chunk_hash":"${'b'.repeat(64)}","prev_wal":null,
"requests":["${'c'.repeat(32)}"],"carried":{"x":[1,{"y":null}]}}`
const rotated = cardEvent({ actor: '0c'.repeat(16) as ActorId, key: signerOf(2), previous: signerOf(1), ts: 5 })
const cards = [cardEvent({ actor: '0c'.repeat(16) as ActorId, key: signerOf(1), ts: 4 }), rotated]
const cardText = ({ body }: Event) => (body.type === 'ProjectContextUpdated' ? body.value : '')
/** Returns the hashed bytes of an event id, without the first element. */
const preimageOf = (event: Event) => Buffer.from(encodeRecord({ ...event, sig: null })).subarray(35, -1)
const snapshotChunk = { path: 'events/000000.bin', chunkHash: 'd'.repeat(64), eventCount: 3 }

export const foreignFiles: Readonly<Record<string, ForeignFile>> = {
  commit: {
    isText: true,
    valid: [Buffer.from(commit.content)],
    async read(bytes) {
      await orRefused(CorruptObjectError, () => parseCommit(bytes))
      readCommit(commit.oid, bytes)
    },
  },
  tree: {
    isText: false,
    valid: objectOf('tree'),
    async read(bytes) {
      await orRefused(CorruptObjectError, () => parseTree('sha1', bytes))
      readCommit(tree.root, bytes)
    },
  },
  chunk: {
    isText: false,
    valid: [Buffer.from(encodeEventChunk(events.slice(0, 6))), Buffer.from(encodeEventChunk(events.slice(6, 12)))],
    read(bytes) {
      readEvents(decodeChunk(bytes))
      readSegment('events/x.bin', bytes)
    },
  },
  'event with a true id': {
    isText: false,
    valid: events.map(preimageOf),
    read(bytes) {
      const id = blake2b256(Buffer.concat([Buffer.of(0x87, 1), bytes]))
      readEvents(decodeChunk(encodeChunk([Buffer.concat([Buffer.of(0x88, 0x58, 0x20), id, bytes, Buffer.of(0xf6)])])))
    },
  },
  'meta.json': {
    isText: true,
    valid: [Buffer.from(files.get('meta.json') as Uint8Array), Buffer.from(carriedMeta)],
    read: (bytes) => readSegment('meta.json', bytes),
  },
  snapshot: {
    isText: true,
    valid: buffers(
      formatSnapshotFacts({ createdTs: 1, walHead: commit.oid, eventCount: 3, chunks: [snapshotChunk] }),
      formatSnapshotReport({
        ...{ orphanCount: 0, attachmentCount: 1, hasRepeats: false, problemCount: 1 },
        problems: [{ commit: commit.oid, objectId: null, eventId: null, severity: 'damaged', reason: 'chunk is bad' }],
      }),
      formatSnapshotSignature({ actor: '0a'.repeat(16) as ActorId, publicKey: 'a'.repeat(64), sig: Buffer.alloc(64) }),
    ),
    read(bytes) {
      const read = [parseSnapshotFacts(bytes), parseSnapshotReport(bytes), parseSnapshotSignature(bytes)]
      for (const value of read) if (typeof value === 'string') assertShort(value)
    },
  },
  card: {
    isText: true,
    valid: buffers(...cards.map(cardText)),
    read(bytes) {
      const { actor, body, sig } = rotated
      const value = textOf(bytes)
      const event = makeEvent(projectContextIssueId, { ...body, value } as Event['body'], { actor, ts: 5 })
      const reading = readCard({ ...event, sig }, () => true)
      if ('problem' in reading) assertShort(reading.problem)
    },
  },
  'saved query': {
    isText: true,
    valid: buffers('{"query":"is:open label:\\"a b\\" (priority:P1 | -has:comments) text"}'),
    read: (bytes) => assertShort(readSavedQuery({ key: 'grite.query.x', value: textOf(bytes) })?.problem ?? ''),
  },
  lock: { isText: true, valid: buffers(...locks.map(formatLock)), read: readLock },
  'import of beads': {
    isText: true,
    valid: [sampleImport, ...buffers(...textOf(sampleImport).trim().split('\n'))],
    read: readBeads,
  },
  'import of an export': { isText: true, valid: buffers(exported), read: readExport },
  configuration: { isText: true, valid: buffers(config), read: readConfig },
}

/** Reads `count` damaged files of one kind. A failure names the seed and number that reproduce the file. */
export async function readDamaged(sort: string, { seed, count }: { seed: number; count: number }): Promise<void> {
  const { isText, valid, read } = foreignFiles[sort] as ForeignFile
  for (const bytes of valid) await read(bytes)
  for (let index = 0; index < count; index++) {
    const bytes = mutate(randomOf(seed ^ Math.imul(index + 1, 0x9e3779b1)), valid, isText)
    try {
      await read(bytes)
    } catch (error) {
      const shown = bytes.subarray(0, 2000).toString(isText ? 'utf8' : 'hex')
      throw new Error(`${sort}, seed ${seed}, file ${index}: ${shown}`, { cause: error })
    }
  }
}
