/**
 * Answers a request that was carried out before, without writing again: its key is in the log, and its plan runs once more on the
 * state that it saw then.
 */
import { createHash } from 'node:crypto'
import type { Oid } from '../git/index.ts'
import { ConflictError, type Event, isCardEvent, timeOfRequestKey } from '../model/index.ts'
import { foldInMemory, type View } from '../view/index.ts'
import { type FoundRequest, findRequests, issueLog } from '../wal/index.ts'
import type { Workspace } from './workspace.ts'

/**
 * What the log has of those of some writes that may have been carried out, by key; undefined for nothing. Together, because each
 * search reads the log: a process that is too slow to take its requests in time would be slower still.
 */
export async function findWritten(
  { git }: Pick<Workspace, 'git'>,
  head: Oid | null,
  writes: readonly KeyedWrite[],
): Promise<ReadonlyMap<string, FoundRequest | undefined>> {
  const doubtful = writes.flatMap(({ key, workspace }) =>
    key !== null && workspace.facts.mayBeRepeated?.() === true ? [key] : [],
  )
  if (head === null || doubtful.length === 0) return new Map()
  const sinceUnixMs = Math.min(...doubtful.map(timeOfRequestKey))
  const found = await findRequests(git, { head, keys: new Set(doubtful), sinceUnixMs })
  return new Map(doubtful.map((key) => [key, found.get(key)]))
}

interface KeyedWrite {
  readonly key: string | null
  readonly workspace: Workspace
}

/** Runs plans on the state that a request saw. */
export interface PastRun {
  readonly view: View
  /** When the request ran. Milliseconds since the Unix epoch. */
  readonly nowUnixMs: number
  readonly close: () => Promise<void>
}

export async function openPast({ git }: Workspace, { parent, before, events, commit }: FoundRequest): Promise<PastRun> {
  const view = await foldInMemory(git, issueLog, parent)
  if (before.length > 0) {
    const segment = { commit, parents: parent === null ? [] : [parent], items: before, problems: [], ...plainSegment }
    await view.apply([segment], commit)
    await view.flush()
  }
  // No event is older than the run, and the oldest one has its time or a later one of what it follows.
  const nowUnixMs = Math.min(...events.map(({ tsUnixMs }) => tsUnixMs))
  return { view, nowUnixMs, close: () => view.close() }
}

const plainSegment = {
  opaqueRecords: [],
  extras: new Map(),
  extrasBytes: 0,
  repeatsChunk: false,
  carries: { requests: [], requestsBytes: 0, keys: new Map(), keysBytes: 0, leftOut: null },
} as const

/** @throws {ConflictError} when a plan drafts other events than the log has under its key */
export function requireSameEvents(key: string, drafted: readonly Event[], found: readonly Event[]): void {
  const idsOf = (events: readonly Event[]) =>
    events.filter((event) => !isCardEvent(event)).map(({ eventId }) => eventId)
  const [drafts, written] = [idsOf(drafted), idsOf(found)]
  if (drafts.length === written.length && drafts.every((id, index) => id === written[index])) return
  throw new ConflictError(
    'a request with this key is already in the log, and this one does not match it; nothing was written',
    {
      details: { reason: 'request-key-used', request: key, event_ids: written },
      hints: ['Use a new key for each command; the same one only to repeat a command'],
    },
  )
}

/**
 * Random bytes that a key always gives alike, so that a plan that runs again makes the same ids. The key has 128 random bits.
 * @param key - of one write; each run of its plan starts with the same bytes
 */
export function randomOfKey(key: string): (count: number) => Uint8Array {
  let block = 0
  return (count) => {
    const parts: Buffer[] = []
    for (let length = 0; length < count; length += 32) {
      parts.push(createHash('sha256').update(`grite request ${key} ${block++}`).digest())
    }
    return Buffer.concat(parts).subarray(0, count)
  }
}
