/** A log with everything that a snapshot handles specially, and snapshots with any files. */
import { createHash } from 'node:crypto'
import { buildTree, encodeCommit, type GitPort, type Oid, type TreeFiles } from '../../src/git/index.ts'
import { deriveContextIssueId, type Event, projectContextIssueId, type Sha256Hex } from '../../src/model/index.ts'
import { type SnapshotRef, snapshotRef, walRef } from '../../src/wal/index.ts'
import { strangeRecord, withWrongId } from './damage.ts'
import { actors, batchOf, comment, creation, issueId, makeEvent, recordOf, writeBatch } from './log.ts'

export const content = Buffer.from('what a machine wrote before it fell over\n')
export const contentSha = createHash('sha256').update(content).digest('hex') as Sha256Hex

const [a, b, c] = [issueId('a0'), issueId('b0'), issueId('c0')]

/** Makes an irregular log, oldest commit first, that grite never writes. */
export function strangeLog() {
  const first = creation(a, 'first', ['bug', 'p0'])
  const note = comment(a, 'note')
  const attached = makeEvent(a, { type: 'AttachmentAdded', name: 'x.log', sha256: contentSha, mime: 'text/plain' })
  const absent = makeEvent(a, { type: 'AttachmentAdded', name: 'y', sha256: 'e'.repeat(64) as Sha256Hex, mime: 'a/b' })
  const early = makeEvent(a, { type: 'LabelAdded', label: 'early' }, { ts: first.tsUnixMs })
  const again = makeEvent(a, { type: 'IssueCreated', title: 'again', body: '', labels: [] }, { actor: actors[1] })
  const lost = makeEvent(c, { type: 'StateChanged', state: 'closed' })
  const before = makeEvent(b, { type: 'LabelAdded', label: 'before' }, { ts: first.tsUnixMs + 500_000 })
  const born = makeEvent(
    b,
    { type: 'IssueCreated', title: 'born late', body: '', labels: [] },
    { ts: first.tsUnixMs + 1 },
  )
  const file = makeEvent(deriveContextIssueId('src/a.ts'), {
    type: 'ContextUpdated',
    path: 'src/a.ts',
    language: 'ts',
    symbols: [{ name: 'f', kind: 'function', lineStart: 1, lineEnd: 2 }],
    summary: 's',
    content_hash: 'c'.repeat(64) as Sha256Hex,
  })
  const project = makeEvent(projectContextIssueId, { type: 'ProjectContextUpdated', key: 'k', value: 'v' })
  const signed: Event = { ...note, sig: new Uint8Array([9, 9]) }
  const odd = strangeRecord(a, 15)
  const batches = [
    batchOf([first, note]),
    batchOf([attached, absent], { extras: new Map([[`attachments/${contentSha}`, content]]) }),
    batchOf([early, again, lost, before, project]),
    batchOf([note, first, born, signed, file], {
      records: [...[note, first, born, signed, file].map(recordOf), odd, odd, withWrongId(recordOf(comment(a, 'z')))],
    }),
  ]
  return {
    batches,
    /** The events of a snapshot, in log order, each once. */
    events: [first, note, attached, absent, before, project, born, file],
    orphans: [recordOf(early), recordOf(again), recordOf(lost), recordOf(signed), odd],
  }
}

/** Writes commits and moves the log to the last one. */
export async function writeLog(git: GitPort, batches: readonly Parameters<typeof writeBatch>[1][]): Promise<Oid> {
  const expected = await git.readRef(walRef)
  let head = expected
  for (const batch of batches) head = await writeBatch(git, batch, head)
  const update = { ref: walRef, expected, next: head, reflogMessage: 'grite: test', keepsReflog: true }
  await git.publish({ objects: [], updates: [update] })
  return head as Oid
}

/** Creates a snapshot ref with any files. */
export async function writeSnapshotFiles(git: GitPort, createdTs: number, files: TreeFiles): Promise<SnapshotRef> {
  const tree = buildTree(git.layout.objectFormat, files)
  const author = { name: 'grite', email: 'grit@local', unixSeconds: 1_700_000_000, offsetMinutes: 0 }
  const commit = encodeCommit(git.layout.objectFormat, { tree: tree.root, parents: [], author, message: 'Snapshot' })
  const ref = snapshotRef(createdTs)
  const updates = [{ ref, expected: null, next: commit.oid, reflogMessage: 'grite: test' }]
  await git.publish({ objects: [...tree.objects, commit], updates })
  return { ref, oid: commit.oid, timestamp: createdTs }
}
