/**
 * Ids that an issue had in the tracker it was imported from (docs/format.md#import). An imported creation is
 * recognised by its own bytes: the import actor wrote it, its title is the original id, and the issue id is the one
 * that original id and time derive. Nothing else has to be stored, so every clone finds the same ids, and nobody can
 * claim a foreign one by copying the look of an import. Frozen: other bytes here would be another source, and importing
 * once more would double every issue.
 */
import { blake2b128 } from './hash.ts'
import { formatHex } from './hex.ts'
import type { ActorId, IssueId } from './ids.ts'
import type { IssueState } from './projection.ts'

const beadsSource = 'grite:import:beads:v1'
const utf8 = new TextEncoder()

/** The actor of every event that the import of a beads tracker makes. */
export const beadsImportActor = formatHex(blake2b128(utf8.encode(beadsSource))) as ActorId

/** The id that a beads issue gets in every clone: a function of its original id and its creation time. */
export function deriveBeadsIssueId(originalId: string, createdTsUnixMs: number): IssueId {
  return formatHex(blake2b128(utf8.encode(`${beadsSource}:${originalId}\0${createdTsUnixMs}`))) as IssueId
}

/** The id the issue had in the tracker it came from; undefined when it was not imported. */
export function originalIdOf(state: IssueState): string | undefined {
  const { creation, issueId } = state
  if (creation === null || creation.version.actor !== beadsImportActor) return undefined
  if (creation.body !== '' || creation.labels.length > 0) return undefined
  return deriveBeadsIssueId(creation.title, creation.version.tsUnixMs) === issueId ? creation.title : undefined
}
