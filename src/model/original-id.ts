/**
 * Ids of imported issues in their original tracker (docs/format.md#import). The bytes of the creation alone identify an
 * imported issue: the import actor wrote it, its title is the original id, and the issue id derives from that original
 * id and the time. Nothing else is stored, so every clone finds the same ids, and nobody can claim a foreign one by
 * imitating an import. Frozen: different bytes would be a different source, and another import would duplicate every
 * issue.
 */
import { blake2b128 } from './hash.ts'
import { formatHex } from './hex.ts'
import type { ActorId, IssueId } from './ids.ts'
import type { IssueState } from './projection.ts'

const beadsSource = 'grite:import:beads:v1'
const utf8 = new TextEncoder()

/** The actor of all events that a beads import creates. */
export const beadsImportActor = formatHex(blake2b128(utf8.encode(beadsSource))) as ActorId

/** The id of a beads issue in every clone: a function of its original id and its creation time. */
export function deriveBeadsIssueId(originalId: string, createdTsUnixMs: number): IssueId {
  return formatHex(blake2b128(utf8.encode(`${beadsSource}:${originalId}\0${createdTsUnixMs}`))) as IssueId
}

/** The issue's id in its original tracker; undefined when it was not imported. */
export function originalIdOf(state: IssueState): string | undefined {
  const { creation, issueId } = state
  if (creation === null || creation.version.actor !== beadsImportActor) return undefined
  if (creation.body !== '' || creation.labels.length > 0) return undefined
  return deriveBeadsIssueId(creation.title, creation.version.tsUnixMs) === issueId ? creation.title : undefined
}
