/** Writes a log of single-event commits, the worst case for a reader, with a fixed seed. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { buildTree, encodeCommit, type Oid, type PendingObject } from '../src/git/index.ts'
import {
  type ActorId,
  type Event,
  type EventBody,
  encodeRecord,
  formatHex,
  type IssueId,
  identifyEvent,
} from '../src/model/index.ts'
import { issueCodec, type SegmentCommit } from '../src/wal/index.ts'
import { benchEnv } from './measure.ts'
import { mulberry32 } from './mulberry32.ts'

const actor = 'b'.repeat(32) as ActorId
const firstTsUnixMs = 1_700_000_000_000

/** One event in five creates an issue; the others change an earlier one. */
export function* makeEvents(count: number, seed = 20_26): Generator<Event> {
  const random = mulberry32(seed)
  const issues: IssueId[] = []
  for (let index = 0; index < count; index++) {
    const isCreation = index % 5 === 0
    const issueId = isCreation ? randomId(random) : (issues[Math.floor(random() * issues.length)] as IssueId)
    if (isCreation) issues.push(issueId)
    const body = isCreation ? creation(index, random) : change(index, random)
    yield identifyEvent({ issueId, actor, tsUnixMs: firstTsUnixMs + index * 1000, parent: null, body })
  }
}

function creation(index: number, random: () => number): EventBody {
  return {
    type: 'IssueCreated',
    title: `Issue number ${index} about ${word(random)} and ${word(random)}`,
    body: `${word(random)} `.repeat(3 + Math.floor(random() * 20)).trim(),
    labels: [`area-${Math.floor(random() * 40)}`, `priority:P${Math.floor(random() * 5)}`].sort(),
  }
}

function change(index: number, random: () => number): EventBody {
  const kind = index % 5
  if (kind === 1) return { type: 'CommentAdded', body: `${word(random)} ${word(random)} ${index}` }
  if (kind === 2) return { type: 'LabelAdded', label: `tag-${Math.floor(random() * 100)}` }
  if (kind === 3) return { type: 'StateChanged', state: random() < 0.6 ? 'closed' : 'open' }
  return { type: 'AssigneeAdded', user: `user-${Math.floor(random() * 30)}` }
}

function word(random: () => number): string {
  return Math.floor(random() * 36 ** 5).toString(36)
}

function randomId(random: () => number): IssueId {
  return formatHex(Uint8Array.from({ length: 16 }, () => Math.floor(random() * 256))) as IssueId
}

export interface LogOptions {
  /** Seed of the random events. */
  readonly seed?: number
  /** Parent of the first commit; default none. */
  readonly base?: Oid
}

/** Fills a repository's log with commits of one event each, through `git fast-import`, and packs it. */
export async function fillLog(directory: string, eventCount: number, { seed, base }: LogOptions = {}): Promise<void> {
  const git = spawn('git', ['fast-import', '--quiet', '--force'], {
    cwd: directory,
    env: benchEnv as NodeJS.ProcessEnv,
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  const { stdin } = git
  let mark = 0
  // fast-import does not report commit ids while it runs, but readers compare prev_wal with the parent, so compute the ids
  // in advance.
  for (const commit of commitsOf(makeEvents(eventCount, seed), base ?? null)) {
    mark += 1
    if (!stdin.write(commit.stream(mark))) await once(stdin, 'drain')
  }
  stdin.end()
  const [status] = await once(git, 'close')
  if (status !== 0) throw new Error(`git fast-import exited with ${status}`)
  const repack = spawn('git', ['repack', '-adq'], {
    cwd: directory,
    env: benchEnv as NodeJS.ProcessEnv,
    stdio: 'inherit',
  })
  await once(repack, 'close')
}

interface StreamedCommit {
  readonly stream: (mark: number) => Buffer
}

function* commitsOf(events: Iterable<Event>, base: Oid | null): Generator<StreamedCommit> {
  let parent = base
  for (const event of events) {
    const segment = issueCodec.encode(
      {
        actor,
        records: [encodeRecord(event)],
        firstTsUnixMs: event.tsUnixMs,
        date: { unixSeconds: Math.floor(event.tsUnixMs / 1000), offsetMinutes: 0 },
      },
      parent === null ? [] : [parent],
    )
    const tree = buildTree('sha1', segment.files)
    const commit: PendingObject = encodeCommit('sha1', {
      tree: tree.root,
      parents: parent === null ? [] : [parent],
      author: { ...segment.identity, ...segment.date },
      message: segment.message,
    })
    parent = commit.oid
    yield { stream: (mark) => streamOf(segment, mark, base) }
  }
}

function streamOf({ files, message, identity, date }: SegmentCommit, mark: number, base: Oid | null): Buffer {
  const parent = mark > 1 ? `:${mark - 1}` : base
  const who = `${identity.name} <${identity.email}> ${date.unixSeconds} +0000`
  const parts = [
    Buffer.from(`commit refs/grite/wal\nmark :${mark}\nauthor ${who}\ncommitter ${who}\n`),
    dataOf(Buffer.from(message)),
    Buffer.from(parent === null ? '' : `from ${parent}\ndeleteall\n`),
  ]
  for (const [path, content] of files) {
    if (typeof content === 'string') throw new TypeError('a bench commit must contain all of its content')
    parts.push(Buffer.from(`M 100644 inline ${path}\n`), dataOf(content))
  }
  return Buffer.concat(parts)
}

function dataOf(content: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`data ${content.length}\n`), content, Buffer.from('\n')])
}
