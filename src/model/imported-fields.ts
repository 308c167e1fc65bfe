/**
 * The comment in which an import keeps what has no event of its own (docs/format.md#import): a first line, then one line
 * for each key. It is no word of a person, so it does not count as a comment; and it names the issues that an issue is
 * related to, some of which may arrive later.
 */
import type { Event } from './event.ts'
import { parseForeignJson } from './foreign/parse-json.ts'
import { Mismatch, shape } from './foreign/shapes.ts'
import { limits } from './limits.ts'
import { beadsImportActor } from './original-id.ts'

/** First line of the comment. */
export const importedFieldsHeader = 'Other beads fields:'

/** The line of the comment that lists edges begins with this; canonical JSON follows. */
const edgesPrefix = 'dependencies: '

/** Whether an event is such a comment of the import actor. */
export function isImportedFields({ actor, body }: Pick<Event, 'actor' | 'body'>): boolean {
  return actor === beadsImportActor && body.type === 'CommentAdded' && body.body.startsWith(`${importedFieldsHeader}\n`)
}

/** The edges that such a comment lists, as they were; an empty list for any other event. */
export function importedEdgesOf(event: Pick<Event, 'actor' | 'body'>): readonly unknown[] {
  if (!isImportedFields(event) || event.body.type !== 'CommentAdded') return []
  const line = event.body.body.split('\n').find((text) => text.startsWith(edgesPrefix))
  if (line === undefined) return []
  const source = { name: 'dependencies', sizeMax: limits.bodyBytesMax }
  return parseForeignJson(line.slice(edgesPrefix.length), shape.list(shape.anything), source).value ?? []
}

const edgeTarget = shape.table({ depends_on_id: shape.text() })

/** Original ids of the issues that the edges of such a comment name. */
export function importedEdgeTargetsOf(event: Pick<Event, 'actor' | 'body'>): string[] {
  const targets = importedEdgesOf(event).flatMap((edge) => {
    const read = edgeTarget(edge)
    return read instanceof Mismatch ? [] : [read.depends_on_id]
  })
  return [...new Set(targets)]
}
