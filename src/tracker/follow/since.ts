import type { Oid } from '../../git/index.ts'
import { type Event, type EventId, InvalidArgsError, limits } from '../../model/index.ts'
import { walRef } from '../../wal/index.ts'
import { resolveEvent } from '../issues/resolve-event.ts'
import { parseMoment } from '../parse-time.ts'
import type { Workspace } from '../workspace.ts'

/** The place in the log, or the time, after which events are reported. */
export type Since =
  | { readonly kind: 'event'; readonly eventId: EventId }
  /** Events that the log did not have at this commit. */
  | { readonly kind: 'commit'; readonly commit: Oid }
  | { readonly kind: 'moment'; readonly tsUnixMs: number }

/**
 * Parses the value of `--since`: the id of an event (or a unique prefix), a commit of the log, an age, a date, or
 * milliseconds. A number is milliseconds.
 * @throws {InvalidArgsError} | {NotFoundError} when it matches nothing
 */
export async function readSince(repository: Workspace, text: string, nowUnixMs: number): Promise<Since> {
  const typed = text.trim().toLowerCase()
  const isId = /^[0-9a-f]{7,64}$/.test(typed) && /[a-f]/.test(typed)
  if (!isId) return { kind: 'moment', tsUnixMs: parseMoment('since', text, nowUnixMs) }
  const commit = await findCommit(repository, typed)
  if (commit === undefined) return { kind: 'event', eventId: await resolveEvent(await repository.view(), typed) }
  await requireOfLog(repository, commit)
  return { kind: 'commit', commit }
}

async function findCommit({ git }: Workspace, text: string): Promise<Oid | undefined> {
  if (text.length !== 40 && text.length !== 64) return undefined
  if (text.length !== (git.layout.objectFormat === 'sha1' ? 40 : 64)) return undefined
  const object = await git.readObject(text as Oid, limits.chunkReadBytesMax).catch(() => null)
  return object?.type === 'commit' ? object.oid : undefined
}

/** Refuses the commit of a branch: reading its history as a log would take long and find nothing. */
async function requireOfLog({ git }: Workspace, commit: Oid): Promise<void> {
  const head = await git.readRef(walRef)
  if (head !== null && (await git.findMergeBase(commit, head)) !== null) return
  throw new InvalidArgsError(`--since: commit ${commit} is not in the log`, {
    details: { field: 'since', value: commit },
  })
}

/** Returns a predicate for the events of the log, to be called in log order. */
export function tellsSince(since: Since): (event: Event) => boolean {
  switch (since.kind) {
    case 'commit':
      return () => true
    case 'moment':
      return ({ tsUnixMs }) => tsUnixMs > since.tsUnixMs
    case 'event': {
      let isPast = false
      return ({ eventId }) => {
        if (isPast) return true
        isPast = eventId === since.eventId
        return false
      }
    }
  }
}
