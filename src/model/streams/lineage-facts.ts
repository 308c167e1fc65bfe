/** Where a stream came from: the lineage in its manifests (docs/format.md#manifest). */
import { type CborValue, encodeCbor } from '../cbor.ts'
import { formatHex } from '../hex.ts'
import type { ActorId } from '../ids.ts'
import type { CborReader } from './cbor-reader.ts'
import { type Labels, readLabels, sortedLabels } from './labels.ts'
import { sha256 } from './merkle.ts'
import { bytesOfHex, type Incarnation, type StreamId } from './stream-id.ts'
import { streamLimits } from './stream-limits.ts'

export interface LineageParent {
  readonly streamId: StreamId
  readonly incarnation: Incarnation
  /** A branch holds the records below it; a merge went up to it. */
  readonly offset: number
  /** Root of the containing commit, 64 hex. */
  readonly root: string
}

/** What to keep: each null for no limit, at least one not null. */
export interface RetentionPolicy {
  readonly maxAgeMs: number | null
  readonly maxBytes: number | null
  readonly maxCount: number | null
}

export interface LineageMetadata {
  readonly createdTs: number
  readonly actor: ActorId | null
  readonly reason: string | null
  readonly labels: Labels
  readonly retention: RetentionPolicy | null
}

export const lineageKinds = ['root', 'branch', 'merge'] as const
export type LineageKind = (typeof lineageKinds)[number]

/** The same in every commit of an incarnation. */
export interface Lineage {
  readonly kind: LineageKind
  readonly parents: readonly LineageParent[]
  readonly metadata: LineageMetadata
}

export function lineageValue({ kind, parents, metadata }: Lineage): CborValue {
  const { createdTs, actor, reason, labels, retention } = metadata
  const policy = retention === null ? null : [retention.maxAgeMs, retention.maxBytes, retention.maxCount]
  const writer = actor === null ? null : bytesOfHex(actor)
  return [
    lineageKinds.indexOf(kind),
    parents.map(parentValue),
    [createdTs, writer, reason, sortedLabels(labels), policy],
  ]
}

function parentValue({ streamId, incarnation, offset, root }: LineageParent): CborValue {
  return [streamId, bytesOfHex(incarnation), offset, bytesOfHex(root)]
}

/** What every root of the stream binds beside its entries. */
export function lineageDigest(
  streamId: StreamId,
  incarnation: Incarnation,
  { kind, parents }: Pick<Lineage, 'kind' | 'parents'>,
): Uint8Array {
  const facts = [streamId, bytesOfHex(incarnation), lineageKinds.indexOf(kind), parents.map(parentValue)]
  return sha256(Uint8Array.of(3), encodeCbor(facts))
}

/** A root has no parent, a branch one, a merge at least one. */
function fitsKind(kind: LineageKind, parentCount: number): boolean {
  if (kind === 'root') return parentCount === 0
  return kind === 'branch' ? parentCount === 1 : parentCount >= 1
}

export function readLineage(reader: CborReader): Lineage {
  reader.tuple(3, 'a lineage')
  const kind = lineageKinds[reader.unsigned('a kind of stream')] ?? reader.fail('a known kind of stream')
  const parents = reader.list('parents', streamLimits.mergeSourcesMax, () => {
    reader.tuple(4, 'a parent')
    const streamId = reader.text('a stream id') as StreamId
    const incarnation = reader.hex('an incarnation', 8) as Incarnation
    const offset = reader.unsigned('an offset')
    return { streamId, incarnation, offset, root: formatHex(reader.bytes('a root', 32)) }
  })
  if (!fitsKind(kind, parents.length)) reader.fail(`the parents of a ${kind}`)
  return { kind, parents, metadata: readMetadata(reader) }
}

function readMetadata(reader: CborReader): LineageMetadata {
  reader.tuple(5, 'metadata')
  const createdTs = reader.unsigned('a creation time')
  const actor = reader.orNull(() => reader.hex('an actor', 16) as ActorId)
  const reason = reader.orNull(() => reader.text('a reason'))
  const labels = readLabels(reader, 'labels', streamLimits.labelsMax)
  return { createdTs, actor, reason, labels, retention: reader.orNull(() => readPolicy(reader)) }
}

function readPolicy(reader: CborReader): RetentionPolicy {
  reader.tuple(3, 'a retention policy')
  const [maxAgeMs, maxBytes, maxCount] = ['an age', 'a size', 'a count'].map((what) =>
    reader.orNull(() => reader.unsigned(what)),
  ) as [number | null, number | null, number | null]
  if (maxAgeMs === null && maxBytes === null && maxCount === null) reader.fail('a limit in a retention policy')
  return { maxAgeMs, maxBytes, maxCount }
}
