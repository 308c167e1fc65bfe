/** Logs for tests: makes events and commits of any form, and reads the chain and the store afterwards. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  buildTree,
  type CommitEntry,
  encodeCommit,
  type GitPort,
  hashObject,
  type Oid,
  type TreeFiles,
} from '../../src/git/index.ts'
import {
  type ActorId,
  type Event,
  type EventBody,
  type EventId,
  encodeRecord,
  type IssueId,
  identifyEvent,
} from '../../src/model/index.ts'
import { View } from '../../src/view/index.ts'
import { openMemoryStore, type Store } from '../../src/view/store.ts'
import type { ViewOptions } from '../../src/view/view.ts'
import {
  batchOfEvents,
  type IssueBatch,
  type IssueSegment,
  issueCodec,
  issueLog,
  readLog,
  walRef,
} from '../../src/wal/index.ts'

export const actors = ['0a'.repeat(16), '0b'.repeat(16)] as [ActorId, ActorId]

/** Returns the issue id that begins with these hex characters and ends in zeros. */
export const issueId = (prefix: string): IssueId => prefix.padEnd(32, '0') as IssueId

let clockMs = 1_700_000_000_000

/** Makes an event with a correct id, dated `ts` or later than every event before. */
export function makeEvent(
  issue: IssueId,
  body: EventBody,
  { ts, actor = actors[0], parent = null }: { ts?: number; actor?: ActorId; parent?: EventId | null } = {},
): Event {
  clockMs += 1000
  return identifyEvent({ issueId: issue, actor, tsUnixMs: ts ?? clockMs, parent, body })
}

/** Makes the creation event of an issue. */
export function creation(issue: IssueId, title = `issue ${issue.slice(0, 4)}`, labels: readonly string[] = []): Event {
  return makeEvent(issue, { type: 'IssueCreated', title, body: '', labels })
}

export const comment = (issue: IssueId, body: string): Event => makeEvent(issue, { type: 'CommentAdded', body })

export function batchOf(events: readonly Event[], extra: Partial<IssueBatch> = {}): IssueBatch {
  const batch = batchOfEvents({
    actor: (events[0] as Event).actor,
    events,
    nowUnixMs: 1_700_000_000_000,
  })
  return { ...batch, ...extra }
}

/** Returns the segment that a reader finds in the commit of a batch, without a repository. */
export function segmentOf(batch: IssueBatch, commit: string, parents: readonly string[] = []): IssueSegment {
  return segmentOfFiles(filesOf(batch, (parents[0] as Oid) ?? null), commit, parents)
}

/** Like `segmentOf`, for a commit with any files. */
export function segmentOfFiles(all: TreeFiles, commit: string, parents: readonly string[] = []): IssueSegment {
  const files = [...all].map(([path, content]) => {
    if (typeof content === 'string') return { path, mode: '100644', oid: content, content: null, problem: 'missing' }
    const bytes = Buffer.from(content)
    return { path, mode: '100644', oid: hashObject('sha1', 'blob', bytes), content: bytes, problem: null }
  })
  return issueCodec.decode({
    oid: commit as Oid,
    parents: parents as Oid[],
    committedAtUnixSeconds: 0,
    message: '',
    files: files as CommitEntry['files'],
    problem: null,
    gaps: [],
  })
}

/** Writes a commit with any files; moves no ref. */
export async function writeCommit(
  git: GitPort,
  files: TreeFiles,
  parents: readonly Oid[],
  message = 'WAL: 1 events from somewhere',
): Promise<Oid> {
  const format = git.layout.objectFormat
  const tree = buildTree(format, files)
  const author = { name: 'grite', email: 'grit@local', unixSeconds: 1_700_000_000, offsetMinutes: 0 }
  const commit = encodeCommit(format, { tree: tree.root, parents, author, message })
  await git.publish({ objects: [...tree.objects, commit], updates: [] })
  return commit.oid
}

/** Writes a batch as a commit; moves no ref. */
export async function writeBatch(git: GitPort, batch: IssueBatch, parent: Oid | null): Promise<Oid> {
  const parents = parent === null ? [] : [parent]
  const { files, message } = issueCodec.encode(batch, parents)
  return writeCommit(git, files, parents, message)
}

/** Returns the files of a batch's commit, which a test may change before writing them. */
export function filesOf(batch: IssueBatch, parent: Oid | null): Map<string, Uint8Array | Oid> {
  return new Map(issueCodec.encode(batch, parent === null ? [] : [parent]).files)
}

export async function segmentsOf(git: GitPort, head: Oid): Promise<IssueSegment[]> {
  const all: IssueSegment[] = []
  for await (const segments of readLog(git, issueLog, { head })) all.push(...segments)
  return all
}

/** Lists every event id in the history of a head, sorted, with repetitions. */
export async function idsOnChain(git: GitPort, head: Oid | null): Promise<string[]> {
  if (head === null) return []
  const segments = await segmentsOf(git, head)
  return segments.flatMap(({ items }) => items.map(({ event }) => event.eventId as string)).sort()
}

/** Asserts that the log holds exactly these events, each once, and passes git fsck and the byte checker. */
export async function assertLogHolds(
  path: string,
  run: (...args: readonly string[]) => string,
  git: GitPort,
  ids: readonly string[],
): Promise<void> {
  assert.deepEqual(await idsOnChain(git, await git.readRef(walRef)), [...ids].sort())
  run('fsck', '--strict', '--no-dangling')
  checkBytes(path)
}

const byteChecker = fileURLToPath(new URL('../../../shared/tools/check_wal.py', import.meta.url))

/** Runs the independent byte checker if it is available, and returns what it says it has read. */
export function checkBytes(path: string): string | undefined {
  if (!existsSync(byteChecker)) return undefined
  python ??= execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim()
  return execFileSync(python, ['-I', '-S', byteChecker, path], { stdio: 'pipe', encoding: 'utf8' })
}

/** `python3` may be a script that chooses a version, which takes longer than the check. */
let python: string | undefined

/** Dumps every key and value of a store except `meta/` as hex. */
export async function dumpStore(store: Store): Promise<Record<string, string>> {
  const dump: Record<string, string> = {}
  for await (const [key, value] of store.iterator()) {
    if (key.toString('latin1').startsWith('meta/')) continue
    dump[readableKey(key)] = value.toString('hex')
  }
  return dump
}

const readableKey = (key: Buffer): string => {
  const slash = key.indexOf('/') + 1
  return key.toString('latin1', 0, slash) + key.toString('hex', slash)
}

/** Opens a view on the store, by default a new store in memory. */
export async function openTestView(store?: Store, options: ViewOptions = {}): Promise<View> {
  return (await View.over(store ?? (await openMemoryStore()), options)) as View
}

export const recordOf = (event: Event): Uint8Array => encodeRecord(event)
