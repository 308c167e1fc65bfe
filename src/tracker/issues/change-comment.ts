/** Edits of comments as plans on a draft. The comment's own event stays; an event of a project key says what is shown. */
import {
  type CommentOverlay,
  commentOverlayKey,
  compareVersions,
  type EventId,
  formatCommentOverlay,
  InvalidArgsError,
  readCommentOverlay,
  shellCommand,
  validateBody,
} from '../../model/index.ts'
import type { Draft } from '../draft.ts'
import { type CommentEvent, readCommentEdits, readCommentOverlays } from './comment-overlays.ts'

/** Drafts another text of a comment. Returns the ids of the events, if any. */
export async function editComment(draft: Draft, comment: CommentEvent, text: string): Promise<EventId[]> {
  validateBody({ type: 'CommentAdded', body: text })
  const present = await findOverlay(draft, comment)
  requireShown(comment, present)
  const shown = present === null ? comment.body.body : present.body
  if (text === shown) return []
  return [await setOverlay(draft, comment, text === comment.body.body ? null : { kind: 'text', body: text })]
}

export async function hideComment(draft: Draft, comment: CommentEvent): Promise<EventId[]> {
  const present = await findOverlay(draft, comment)
  return present?.kind === 'hidden' ? [] : [await setOverlay(draft, comment, { kind: 'hidden' })]
}

/** Drafts that a hidden comment is shown again, with the text that it had before. */
export async function unhideComment(draft: Draft, comment: CommentEvent): Promise<EventId[]> {
  const present = await findOverlay(draft, comment)
  if (present?.kind !== 'hidden') return []
  const edits = await readCommentEdits(await draft.view(), [comment.eventId])
  const before = edits
    .sort(compareVersions)
    .map(({ body }) => readCommentOverlay(body.value))
    .findLast((overlay) => overlay?.kind !== 'hidden')
  return [await setOverlay(draft, comment, before ?? null)]
}

async function findOverlay(draft: Draft, { eventId }: CommentEvent): Promise<CommentOverlay | null> {
  return (await readCommentOverlays(await draft.view(), [eventId])).get(eventId)?.overlay ?? null
}

async function setOverlay(draft: Draft, comment: CommentEvent, overlay: CommentOverlay | null): Promise<EventId> {
  const { eventId, tsUnixMs } = comment
  return (await draft.setProjectContext(commentOverlayKey(eventId), formatCommentOverlay(overlay), tsUnixMs)).eventId
}

/** @throws {InvalidArgsError} on a hidden comment, whose text nobody would see change */
export function requireShown(
  { eventId }: CommentEvent,
  overlay: CommentOverlay | null,
): asserts overlay is Extract<CommentOverlay, { readonly kind: 'text' }> | null {
  if (overlay?.kind !== 'hidden') return
  const short = eventId.slice(0, 8)
  throw new InvalidArgsError(`comment ${short} is hidden, so it cannot be edited`, {
    details: { field: 'comment', value: eventId },
    hints: [`\`${shellCommand('grite', 'issue', 'comment', 'unhide', short)}\` shows it again`],
  })
}
