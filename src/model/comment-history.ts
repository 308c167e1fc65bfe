/** Edits of comments in the history of their issue: each is an event of a project key (docs/format.md#reserved-keys). */
import { commentOfOverlayKey, readCommentOverlay, shownCommentText } from './comment-overlay.ts'
import { compareVersions, type Event } from './event.ts'
import type { EventBodyOf } from './event-kinds.ts'
import type { HistoryEntry } from './history.ts'
import type { EventId } from './ids.ts'

export interface CommentHistoryEntry extends HistoryEntry {
  /** The comment that the event adds, edits or hides; null for another event. */
  readonly comment: EventId | null
}

type Draft = { -readonly [Key in keyof CommentHistoryEntry]: CommentHistoryEntry[Key] }
type OverlayEvent = Event & { readonly body: EventBodyOf<'ProjectContextUpdated'> }

/**
 * Adds what happened to the comments of a history. `old` and `new` of such an entry are the shown texts, null while the
 * comment is hidden.
 *
 * @param entries - in version order
 * @param overlays - in any order; those of other comments are ignored
 * @returns entries in version order
 */
export function withCommentChanges(
  entries: readonly HistoryEntry[],
  overlays: readonly OverlayEvent[],
): CommentHistoryEntry[] {
  const all: Draft[] = entries.map((entry) => ({ ...entry, comment: addedBy(entry.event) }))
  const deciding = new Map(all.flatMap((entry) => (entry.comment === null ? [] : [[entry.comment, entry] as const])))
  const written = new Map([...deciding].map(([comment, entry]) => [comment, entry.new ?? '']))
  for (const event of overlays.toSorted(compareVersions)) {
    const comment = commentOfOverlayKey(event.body.key)
    const decided = comment === undefined ? undefined : deciding.get(comment)
    if (comment === undefined || decided === undefined) continue
    const text = shownCommentText(written.get(comment) ?? '', readCommentOverlay(event.body.value))
    const entry: Draft = {
      event,
      subject: { kind: 'comment' },
      old: decided.new,
      new: text,
      effective: decided.new !== text,
      supersededBy: null,
      partOf: null,
      comment,
    }
    decided.supersededBy = event.eventId
    deciding.set(comment, entry)
    all.push(entry)
  }
  return overlays.length === 0 ? all : all.sort((left, right) => compareVersions(left.event, right.event))
}

function addedBy({ body, eventId }: Event): EventId | null {
  return body.type === 'CommentAdded' ? eventId : null
}
