import type { Oid } from '../../git/index.ts'
import { type Event, type EventId, InvalidArgsError, limits } from '../../model/index.ts'
import { walRef } from '../../wal/index.ts'
import { resolveEvent } from '../issues/resolve-event.ts'
import { parseMoment } from '../parse-time.ts'
import type { Workspace } from '../workspace.ts'

/** After which place of the log, or which time, events are told. */
export type Since =
  | { readonly kind: 'event'; readonly eventId: EventId }
  /** What the log holds and did not hold at this commit. */
  | { readonly kind: 'commit'; readonly commit: Oid }
  | { readonly kind: 'moment'; readonly tsUnixMs: number }

/**
 * What the text of `--since` means: the id of an event (or a unique prefix), a commit of the log, an age, a date, or
 * milliseconds. Digits alone are milliseconds.
 * @throws {InvalidArgsError} | {NotFoundError} when it names nothing
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

/** The history of a branch is no log, and reading it as one would take long and find nothing. */
async function requireOfLog({ git }: Workspace, commit: Oid): Promise<void> {
  const head = await git.readRef(walRef)
  if (head !== null && (await git.findMergeBase(commit, head)) !== null) return
  throw new InvalidArgsError(`--since names a commit that is not of the log: ${commit}`, {
    details: { field: 'since', value: commit },
  })
}

/** Judges the events of the log one after the other, in its order. */
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
