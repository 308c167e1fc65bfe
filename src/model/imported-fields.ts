/**
 * The comment in which an import keeps fields that have no event kind (docs/format.md#import): a header line, then one
 * line per key. It does not count as a comment, because no person wrote it. It also names related issues, some of which
 * may arrive later.
 */
import type { Event } from './event.ts'
import { parseForeignJson } from './foreign/parse-json.ts'
import { Mismatch, shape } from './foreign/shapes.ts'
import type { ActorId } from './ids.ts'
import { limits } from './limits.ts'
import { beadsImportActor } from './original-id.ts'

/** First line of the comment. */
export const importedFieldsHeader = 'Other beads fields:'

/** Prefix of the line that lists edges; canonical JSON follows. */
const edgesPrefix = 'dependencies: '

/** Whether an event is such a comment of the import actor. */
export function isImportedFields({ actor, body }: Pick<Event, 'actor' | 'body'>): boolean {
  return body.type === 'CommentAdded' && isImportedText(actor, body.body)
}

/** Whether an actor wrote such a comment with this text. */
export function isImportedText(actor: ActorId, text: string): boolean {
  return actor === beadsImportActor && text.startsWith(`${importedFieldsHeader}\n`)
}

/** The edges that such a comment lists, as imported; empty for any other event. */
export function importedEdgesOf(event: Pick<Event, 'actor' | 'body'>): readonly unknown[] {
  if (!isImportedFields(event) || event.body.type !== 'CommentAdded') return []
  const line = event.body.body.split('\n').find((text) => text.startsWith(edgesPrefix))
  if (line === undefined) return []
  const source = { name: 'dependencies', sizeMax: limits.bodyBytesMax }
  return parseForeignJson(line.slice(edgesPrefix.length), shape.list(shape.anything), source).value ?? []
}

const edgeTarget = shape.table({ depends_on_id: shape.text() })

/** Original ids of the target issues of the edges in such a comment. */
export function importedEdgeTargetsOf(event: Pick<Event, 'actor' | 'body'>): string[] {
  if (!isImportedFields(event)) return []
  const targets = importedEdgesOf(event).flatMap((edge) => {
    const read = edgeTarget(edge)
    return read instanceof Mismatch ? [] : [read.depends_on_id]
  })
  return [...new Set(targets)]
}
