/**
 * Looks up what requests have written, by their idempotency keys in the notes of meta.json: after a lost answer, the log tells whether
 * a request was carried out.
 */
import type { GitPort, Oid } from '../../git/index.ts'
import { type ChunkEvent, type Event, Mismatch, shape } from '../../model/index.ts'
import { readLog } from '../read-log.ts'
import { issueLog } from './issue-log.ts'
import { readBareCommit } from './read-bare-commit.ts'

export interface FoundRequest {
  readonly commit: Oid
  /** The state that the request saw is this commit and then `before`. */
  readonly parent: Oid | null
  /** Events of other requests in the same commit, before those of this one. */
  readonly before: readonly ChunkEvent[]
  /** In the order in which they were written. Not empty. */
  readonly events: readonly Event[]
}

export interface RequestLookup {
  readonly head: Oid
  readonly keys: ReadonlySet<string>
  /** When the oldest of the keys was made. Milliseconds since the Unix epoch. */
  readonly sinceUnixMs: number
}

/** Commits before the key that are passed before the search ends: other clocks may be behind. */
const olderMax = 16
/** Commits that are searched at most. */
const commitsMax = 10_000

const noteShape = shape.table({ key: shape.text(), events: shape.list(shape.text()) })

/** @returns the requests that the log up to `head` has, by key */
export async function findRequests(
  git: GitPort,
  { head, keys, sinceUnixMs }: RequestLookup,
): Promise<ReadonlyMap<string, FoundRequest>> {
  const found = new Map<string, FoundRequest>()
  const end = await findEnd(git, head, Math.floor(sinceUnixMs / 1000))
  if (end === head) return found
  for await (const segments of readLog(git, issueLog, { head, exclude: end === null ? [] : [end] })) {
    for (const { commit, parents, items, carries } of segments) {
      for (const noted of carries.requests) {
        const note = noteShape(noted)
        if (note instanceof Mismatch || !keys.has(note.key) || found.has(note.key)) continue
        const own = new Set(note.events)
        const first = items.findIndex(({ event }) => own.has(event.eventId))
        if (first < 0) continue
        found.set(note.key, {
          commit,
          parent: parents[0] ?? null,
          before: items.slice(0, first),
          events: items.map(({ event }) => event).filter(({ eventId }) => own.has(eventId)),
        })
      }
    }
    if (found.size === keys.size) break
  }
  return found
}

/** The newest commit of the first-parent chain that is certainly older than the key; null when there is none. */
async function findEnd(git: GitPort, head: Oid, sinceUnixS: number): Promise<Oid | null> {
  let end: Oid = head
  let older = 0
  let oid: Oid = head
  for (let count = 0; count < commitsMax; count++) {
    const commit = await readBareCommit(git, oid)
    if (commit === null) return null
    if (commit.committedAtUnixSeconds >= sinceUnixS) older = 0
    else if (older++ === 0) end = oid
    if (older > olderMax) return end
    const parent = commit.parents[0]
    if (parent === undefined) return older > 0 ? end : null
    oid = parent
  }
  return oid
}
