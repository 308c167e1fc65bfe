/**
 * Who an imported event comes from (docs/format.md#import). Frozen: other bytes here would be another source, and
 * importing once more would double every issue.
 */
import { type ActorId, blake2b128, type Event, formatHex, type IssueId } from '../model/index.ts'

const source = 'grite:import:beads:v1'

/** The actor of every event made from a beads tracker, the same in every clone. */
export const beadsImportActor = derive(source) as ActorId

/**
 * Derives the id of an imported issue.
 *
 * @param originalId - as in the file, without NUL
 * @param createdAtMs - milliseconds since the Unix epoch, 0 or later
 */
export function deriveBeadsIssueId(originalId: string, createdAtMs: number): IssueId {
  return derive(`${source}:${originalId}\0${createdAtMs}`) as IssueId
}

/**
 * The original id under which an imported issue is found again; undefined for any other event. The issue id is
 * derived anew, so nobody can claim a foreign alias for an issue of theirs by copying the look of an import.
 */
export function originalIdOf(event: Event): string | undefined {
  const { body } = event
  if (body.type !== 'IssueCreated' || event.actor !== beadsImportActor) return undefined
  if (body.body !== '' || body.labels.length > 0) return undefined
  return deriveBeadsIssueId(body.title, event.tsUnixMs) === event.issueId ? body.title : undefined
}

function derive(text: string): string {
  return formatHex(blake2b128(new TextEncoder().encode(text)))
}
