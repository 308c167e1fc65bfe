/** Every limit of the table at its edge: the greatest allowed value works; one more is rejected and writes nothing. */
import assert from 'node:assert/strict'
import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { limits } from '../../src/model/limits.ts'
import { projectDir } from '../tidy/source-files.ts'
import { createLineSandbox, type Outcome, readFailure } from './grite-process.ts'

const place = createLineSandbox({ after })
const id = place.create('Edge')

/** Text of this many bytes with fewer characters. */
const text = (bytes: number) => `${'é'.repeat(Math.floor(bytes / 2))}${bytes % 2 === 1 ? 'x' : ''}`
const batch = (operations: readonly object[]) =>
  place.griteWith({ stdin: operations.map((operation) => JSON.stringify(operation)).join('\n') }, 'batch', '--json')
const labels = (count: number) => Array.from({ length: count }, (_, index) => `label ${index}`)

function attach(bytes: number): Outcome {
  const file = join(place.path, 'large')
  writeFileSync(file, '')
  truncateSync(file, bytes)
  return place.grite('issue', 'attachment', 'add', id, '--file=large', '--json')
}

interface Edge {
  readonly limit: keyof typeof limits
  readonly what: string
  /** Writes a value of this size. */
  readonly write: (size: number) => Outcome
}

const issue = (...words: readonly string[]) => place.grite('issue', ...words, '--json')

const edges: readonly Edge[] = [
  { limit: 'titleBytesMax', what: 'title', write: (size) => issue('create', '--title', text(size)) },
  { limit: 'titleBytesMax', what: 'new title', write: (size) => issue('update', id, '--title', text(size)) },
  {
    limit: 'bodyBytesMax',
    what: 'body',
    write: (size) => place.griteWith({ stdin: text(size) }, 'issue', 'create', '--title=x', '--body-file=-', '--json'),
  },
  {
    limit: 'bodyBytesMax',
    what: 'comment',
    write: (size) => place.griteWith({ stdin: text(size) }, 'issue', 'comment', id, '--body-file=-', '--json'),
  },
  { limit: 'labelBytesMax', what: 'label', write: (size) => issue('label', 'add', id, '--label', text(size)) },
  { limit: 'labelBytesMax', what: 'first label', write: (size) => issue('create', '--title=x', '--label', text(size)) },
  { limit: 'assigneeBytesMax', what: 'assignee', write: (size) => issue('assignee', 'add', id, '--user', text(size)) },
  { limit: 'urlBytesMax', what: 'url', write: (size) => issue('link', 'add', id, '--url', text(size)) },
  { limit: 'noteBytesMax', what: 'note', write: (size) => issue('link', 'add', id, '--url=x', '--note', text(size)) },
  {
    limit: 'attachmentNameBytesMax',
    what: 'attachment name',
    write: (size) => issue('attachment', 'add', id, `--sha256=${'ab'.repeat(32)}`, '--mime=m', '--name', text(size)),
  },
  {
    limit: 'mimeBytesMax',
    what: 'media type',
    write: (size) => issue('attachment', 'add', id, `--sha256=${'ab'.repeat(32)}`, '--name=n', '--mime', text(size)),
  },
  { limit: 'attachmentBytesMax', what: 'attachment', write: attach },
  {
    limit: 'labelsPerIssueMax',
    what: 'labels at creation',
    write: (size) => batch([{ op: 'create', title: 'x', labels: labels(size) }]),
  },
  {
    limit: 'labelsPerIssueMax',
    what: 'labels added later',
    write: (size) =>
      batch([
        { op: 'create', title: 'x', labels: labels(size - 1), as: 'x' },
        { op: 'label', issue: '@x', add: ['last'] },
      ]),
  },
  {
    limit: 'queryBytesMax',
    what: 'text of a query',
    write: (size) => place.grite('query', 'save', 'edge', text(size), '--json'),
  },
  {
    limit: 'queryDepthMax',
    what: 'groups of a query',
    write: (size) => place.grite('query', 'save', 'deep', `${'('.repeat(size)}a${')'.repeat(size)}`, '--json'),
  },
  {
    limit: 'lockResourceBytesMax',
    what: 'resource of a lock',
    write: (size) => place.grite('lock', 'acquire', text(size), '--json'),
  },
  {
    limit: 'actorLabelBytesMax',
    what: 'label of an actor',
    write: (size) => place.grite('actor', 'init', '--label', text(size), '--json'),
  },
  {
    limit: 'batchEventsMax',
    what: 'events of a batch',
    write: (size) => batch(Array.from({ length: size }, () => ({ op: 'create', title: 'x' }))),
  },
]

for (const { limit, what, write } of edges) {
  test(`accepts ${what} up to ${limits[limit]} and rejects one more (${limit})`, () => {
    const allowed = write(limits[limit])
    assert.deepEqual([allowed.status, allowed.stderr], [0, ''])
    const head = place.head()
    const failure = readFailure(write(limits[limit] + 1))
    assert.deepEqual([failure.code, failure.status], ['invalid_args', 2], failure.message)
    assert.match(failure.message, new RegExp(`${limits[limit]}\\b`))
    assert.equal(place.head(), head)
  })
}

test('rejects a batch with more bytes than one commit holds (batchBytesMax)', () => {
  const comment = { op: 'comment', issue: id, body: 'x'.repeat(limits.bodyBytesMax) }
  const head = place.head()
  const failure = readFailure(batch(Array.from({ length: 8 }, () => comment)))
  assert.deepEqual([failure.code, failure.status], ['invalid_args', 2], failure.message)
  assert.match(failure.message, new RegExp(`${limits.batchBytesMax}\\b`))
  assert.equal(place.head(), head)
  assert.equal(batch(Array.from({ length: 7 }, () => comment)).status, 0)
})

/** Limits of readers, and limits out of reach of one command, with the tests that reach them. */
const elsewhere: Partial<Record<keyof typeof limits, string>> = {
  batchBytesMax: 'test/contract/limits.test.ts',
  segmentBytesMax: 'test/wal/issue-log/snapshot/write-snapshot.test.ts',
  chunkReadBytesMax: 'test/wal/append.test.ts',
  cborNestingMax: 'test/model/hostile-chunk.test.ts',
  tsUnixMsMax: 'test/reports/b7-times-out-of-range.test.ts',
  issueIdPrefixMin: 'test/contract/bad-input.test.ts',
  eventIdPrefixMin: 'test/commands/undo.test.ts',
  savedQueriesMax: 'test/tracker/issues/saved-queries.test.ts',
  memoryBytesMax: 'test/commands/memory/memory.test.ts',
  memoryAboutBytesMax: 'test/model/memory.test.ts',
  memoriesMax: 'test/commands/memory/memory.test.ts',
  contextKeyBytesMax: 'test/commands/context/project.test.ts',
  contextValueBytesMax: 'test/commands/context/project.test.ts',
  actorCardBytesMax: 'test/model/actor-card.test.ts',
  actorKeysMax: 'test/model/actor-card.test.ts',
  lockFileBytesMax: 'test/wal/issue-log/lock-refs.test.ts',
  copiesJudgedMax: 'test/view/event-copies.test.ts',
  metaBytesMax: 'test/wal/issue-log/carried-meta.test.ts',
  carriedRequestsBytesMax: 'test/wal/issue-log/carried-meta.test.ts',
  carriedKeysBytesMax: 'test/wal/issue-log/carried-meta.test.ts',
  carriedNestingMax: 'test/wal/issue-log/carried-meta.test.ts',
  carriedFilesMax: 'test/wal/issue-log/re-append.test.ts',
  carriedFilesBytesMax: 'test/wal/issue-log/re-append.test.ts',
  configBytesMax: 'test/reports/b12-attachments-and-files.test.ts',
  batchInputBytesMax: 'test/reports/b12-attachments-and-files.test.ts',
  batchOperationsMax: 'test/reports/b12-attachments-and-files.test.ts',
  importStreamBytesMax: 'test/tracker/import/import-source.test.ts',
  lineBytesMax: 'test/import/jsonl-lines.test.ts',
  foreignDepthMax: 'test/model/foreign/parse-json.test.ts',
  problemLengthMax: 'test/wal/issue-log/issue-codec.test.ts',
  snapshotFactsBytesMax: 'test/wal/issue-log/snapshot/read-snapshot.test.ts',
  snapshotFactsValuesMax: 'test/wal/issue-log/snapshot/read-snapshot.test.ts',
  commitFilesMax: 'test/git/commit-bounds.test.ts',
  commitTreeRowsMax: 'test/git/commit-bounds.test.ts',
  commitTreeBytesMax: 'test/git/commit-bounds.test.ts',
  commitDepthMax: 'test/git/commit-bounds.test.ts',
  commitPathBytesMax: 'test/git/commit-bounds.test.ts',
  commitContentBytesMax: 'test/git/commit-bounds.test.ts',
  commitParentsMax: 'test/git/commit-bounds.test.ts',
  followedLocksMax: 'test/reports/b3-refs-by-the-thousand.test.ts',
  followedSnapshotsMax: 'test/reports/b3-refs-by-the-thousand.test.ts',
  followedLeasesMax: 'test/wal/ref-names.test.ts',
}

test('every limit of the table has a test', () => {
  const here = new Set(edges.map(({ limit }) => limit))
  const missing: string[] = []
  for (const limit of Object.keys(limits) as (keyof typeof limits)[]) {
    const path = elsewhere[limit]
    assert.notEqual(here.has(limit), path !== undefined, `${limit} has no test, or two places`)
    if (path === undefined) continue
    const source = readFileSync(join(projectDir, path), 'utf8')
    if (!source.includes(limit)) missing.push(`${path} does not name ${limit}`)
  }
  assert.deepEqual(missing, [])
})

test('db check and git fsck find no fault after all limits', () => {
  assert.equal(place.data('db', 'check').corrupt_count, 0)
  assert.equal(place.git(place.path, 'fsck', '--strict', '--no-dangling'), '')
})
