/** What is shown in place of comments, as the log says (docs/format.md#reserved-keys). */
import {
  type ActorId,
  type CommentOverlay,
  commentOverlayKey,
  type EventId,
  readCommentOverlay,
} from '../../model/index.ts'
import type { View } from '../../view/index.ts'

/** An overlay with who said so, and when. */
export interface KeptOverlay {
  readonly overlay: CommentOverlay
  readonly actor: ActorId
  readonly tsUnixMs: number
  readonly eventId: EventId
}

/** Overlays of these comments; a comment without one is left out. */
export async function readCommentOverlays(
  view: View,
  comments: readonly EventId[],
): Promise<ReadonlyMap<EventId, KeptOverlay>> {
  const found = await Promise.all(comments.map((id) => view.findProjectContext(commentOverlayKey(id))))
  const overlays = new Map<EventId, KeptOverlay>()
  for (const [index, context] of found.entries()) {
    const overlay = context === undefined ? null : readCommentOverlay(context.body.value)
    if (context === undefined || overlay === null) continue
    const { actor, tsUnixMs, eventId } = context.version
    overlays.set(comments[index] as EventId, { overlay, actor, tsUnixMs, eventId })
  }
  return overlays
}
