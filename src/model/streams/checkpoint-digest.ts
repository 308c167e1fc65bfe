import { encodeCbor } from '../cbor.ts'
import type { CheckpointAct } from './acts.ts'
import type { Manifest } from './manifest.ts'
import { nextOffsetOf, rootOfManifest } from './manifest.ts'
import { sha256 } from './merkle.ts'
import { bytesOfHex } from './stream-id.ts'

export type CheckpointFacts = Pick<CheckpointAct, 'ts' | 'actor' | 'reason' | 'kind'>

/** What the key of the actor signs: a checkpoint's facts with the position and root of its parent commit. */
export function checkpointDigest(parent: Manifest, { ts, actor, reason, kind }: CheckpointFacts): Uint8Array {
  const facts = [
    parent.streamId,
    bytesOfHex(parent.incarnation),
    parent.generation,
    parent.entries,
    nextOffsetOf(parent),
    rootOfManifest(parent),
    ts,
    actor === null ? null : bytesOfHex(actor),
    reason,
    kind,
  ]
  return sha256(Uint8Array.of(5), encodeCbor(facts))
}
