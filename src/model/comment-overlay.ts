/**
 * What is shown in place of a comment: project keys `grite.comment.<event id>` (docs/format.md#reserved-keys). The event
 * of the comment stays as it is, and other tools show it. Overlays come from anyone who can push, so each is judged when
 * it is read; a broken one says nothing.
 */
import { parseForeignJson } from './foreign/parse-json.ts'
import { shape } from './foreign/shapes.ts'
import type { EventId } from './ids.ts'
import { limits } from './limits.ts'

export const commentOverlayPrefix = 'grite.comment.'

/** `text` replaces what the comment said; `hidden` shows nothing of it. */
export type CommentOverlay = { readonly kind: 'text'; readonly body: string } | { readonly kind: 'hidden' }

export function commentOverlayKey(comment: EventId): string {
  return `${commentOverlayPrefix}${comment}`
}

/** The comment of a key; undefined for a key that is not `grite.comment.<event id>`. */
export function commentOfOverlayKey(key: string): EventId | undefined {
  const id = key.startsWith(commentOverlayPrefix) ? key.slice(commentOverlayPrefix.length) : ''
  return /^[0-9a-f]{64}$/.test(id) ? (id as EventId) : undefined
}

/** The text shown for a comment; null for a hidden one. */
export function shownCommentText(written: string, overlay: CommentOverlay | null): string | null {
  if (overlay === null) return written
  return overlay.kind === 'hidden' ? null : overlay.body
}

/** The value that says an overlay; the empty value, for null, shows the comment as it was written. */
export function formatCommentOverlay(overlay: CommentOverlay | null): string {
  if (overlay === null) return ''
  return JSON.stringify(overlay.kind === 'hidden' ? { hidden: true } : { body: overlay.body })
}

/** JSON needs six characters for one at most, and a few around it. */
const valueLengthMax = 6 * limits.bodyBytesMax + 1024

const hiddenShape = shape.table({ hidden: shape.oneOf([true]) })
const textShape = shape.table({ body: shape.text() })

/** What a value says; null when it says nothing. */
export function readCommentOverlay(value: string): CommentOverlay | null {
  if (value === '') return null
  const options = { name: 'a comment overlay', sizeMax: valueLengthMax }
  if (parseForeignJson(value, hiddenShape, options).value !== null) return { kind: 'hidden' }
  const text = parseForeignJson(value, textShape, options).value
  return text === null ? null : { kind: 'text', body: text.body }
}
