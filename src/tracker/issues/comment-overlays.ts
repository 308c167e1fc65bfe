/** What is shown in place of comments, as the log says (docs/format.md#reserved-keys). */
import {
  type ActorId,
  type CommentOverlay,
  commentOfOverlayKey,
  commentOverlayKey,
  commentOverlayPrefix,
  type Event,
  type EventBodyOf,
  type EventId,
  type IssueId,
  readCommentOverlay,
  shownCommentText,
} from '../../model/index.ts'
import type { ProjectEvent, View } from '../../view/index.ts'

/** An overlay with who said so, and when. */
export interface KeptOverlay {
  readonly overlay: CommentOverlay
  readonly actor: ActorId
  readonly tsUnixMs: number
  readonly eventId: EventId
}

export type CommentEvent = Event & { readonly body: EventBodyOf<'CommentAdded'> }

/** A comment as it is shown. */
export interface ShownComment {
  /** As it was written. */
  readonly event: CommentEvent
  /** Null while it is hidden. */
  readonly text: string | null
  /** Null when it is shown as it was written. */
  readonly changed: KeptOverlay | null
}

export function isComment(event: Event): event is CommentEvent {
  return event.body.type === 'CommentAdded'
}

/** Overlays of these comments; a comment without one is left out. */
export async function readCommentOverlays(
  view: View,
  comments: readonly EventId[],
): Promise<ReadonlyMap<EventId, KeptOverlay>> {
  const overlays = new Map<EventId, KeptOverlay>()
  if (comments.length === 0) return overlays
  const contexts = await view.findProjectContexts(comments.map(commentOverlayKey))
  for (const { body, version } of contexts.values()) {
    const comment = commentOfOverlayKey(body.key)
    const overlay = readCommentOverlay(body.value)
    if (comment === undefined || overlay === null) continue
    const { actor, tsUnixMs, eventId } = version
    overlays.set(comment, { overlay, actor, tsUnixMs, eventId })
  }
  return overlays
}

/** The comments among these events as they are shown, in the same order. */
export async function readShownComments(view: View, events: readonly Event[]): Promise<ShownComment[]> {
  const comments = events.filter(isComment)
  const overlays = await readCommentOverlays(
    view,
    comments.map(({ eventId }) => eventId),
  )
  return comments.map((event) => {
    const changed = overlays.get(event.eventId) ?? null
    return { event, text: shownCommentText(event.body.body, changed?.overlay ?? null), changed }
  })
}

/**
 * Every event that ever said what is shown in place of these comments. Scans the log, but only if there is any: nothing
 * else keeps values that were replaced.
 */
export async function readCommentEdits(view: View, comments: readonly EventId[]): Promise<ProjectEvent[]> {
  const keys = new Set((await view.findProjectContexts(comments.map(commentOverlayKey))).keys())
  const edits: ProjectEvent[] = []
  if (keys.size === 0) return edits
  const [only] = keys.size === 1 ? keys : []
  for await (const event of view.projectEvents(only ?? commentOverlayPrefix)) {
    if (keys.has(event.body.key)) edits.push(event)
  }
  return edits
}

/** The comments that these events edited or hid, by the key of the edit. Comments that are not in the log are left out. */
export async function findEditedComments(
  view: View,
  events: readonly Event[],
): Promise<ReadonlyMap<string, CommentEvent>> {
  const ids = events.flatMap(({ body }) => {
    const comment = body.type === 'ProjectContextUpdated' ? commentOfOverlayKey(body.key) : undefined
    return comment === undefined ? [] : [comment]
  })
  const found = ids.length === 0 ? [] : await view.findEvents([...new Set(ids)])
  return new Map(found.filter(isComment).map((event) => [commentOverlayKey(event.eventId), event]))
}

/** The issue that an event is about: an edit of a comment is about the issue of the comment. */
export function issueOfEvent(event: Event, edited: ReadonlyMap<string, CommentEvent>): IssueId {
  const { body, issueId } = event
  return (body.type === 'ProjectContextUpdated' ? edited.get(body.key)?.issueId : undefined) ?? issueId
}
