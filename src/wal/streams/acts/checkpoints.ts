/** Checkpoints: a commit that states that the root before it is right, signed when the actor has a key. */
import type { Oid } from '../../../git/index.ts'
import type { ActorId } from '../../../model/index.ts'
import { formatHex, InvalidArgsError } from '../../../model/index.ts'
import {
  appendSubtrees,
  type CheckpointAct,
  checkpointDigest,
  type Incarnation,
  type Manifest,
  nextOffsetOf,
  ownEntriesOf,
  PeakList,
  rootOfManifest,
  type StreamId,
  sameBytes,
} from '../../../model/streams/index.ts'
import { type Signer, verifySignature } from '../../ed25519.ts'
import type { StreamHead } from '../stream-heads.ts'
import { commitOfAct } from './act-manifest.ts'
import { type ActPlace, requireReadable } from './act-place.ts'
import { ownSubtreesOf, walkChain } from './chain.ts'

export interface CreateCheckpoint {
  readonly kind: string
  readonly actor: ActorId | null
  readonly reason: string | null
  /** Null for a checkpoint without a signature. */
  readonly signer: Signer | null
}

export interface Checkpoint {
  readonly streamId: StreamId
  readonly incarnation: Incarnation
  readonly generation: number
  readonly commit: Oid
  readonly tsUnixMs: number
  readonly actor: ActorId | null
  readonly reason: string | null
  readonly kind: string
  readonly entries: number
  readonly nextOffset: number
  /** 64 hex. */
  readonly root: string
  /** 64 hex; null without a signature. */
  readonly key: string | null
}

/** `valid`: the key has signed it. Whether it is one of the actor, the layer that knows actors says. */
export interface CheckedCheckpoint extends Checkpoint {
  readonly signature: 'valid' | 'wrong' | 'none'
  /** Null when the head continues what the checkpoint stands for. */
  readonly fault: string | null
}

const kindBytesMax = 256

export async function createCheckpoint(
  at: ActPlace,
  streamId: StreamId,
  { kind, actor, reason, signer }: CreateCheckpoint,
): Promise<Checkpoint> {
  if (kind === '' || Buffer.byteLength(kind) > kindBytesMax || !kind.isWellFormed()) {
    const message = `kind must be 1 to ${kindBytesMax} bytes of text`
    throw new InvalidArgsError(message, { details: { field: 'kind', value: kind } })
  }
  const head = await at.act(streamId, async ({ manifest }) => {
    const facts = { ts: at.place.clock.nowUnixMs(), actor, reason, kind }
    const digest = formatHex(checkpointDigest(manifest, facts))
    const signed =
      signer === null
        ? { key: null, signature: null }
        : { key: new Uint8Array(Buffer.from(signer.publicKey, 'hex')), signature: signer.sign(digest) }
    return { commit: commitOfAct(manifest, { name: 'checkpoint', ...facts, ...signed }) }
  })
  const { act } = head.manifest
  if (act?.name !== 'checkpoint') throw new Error('the head of a checkpoint is another act')
  return describe(head, act)
}

/** Newest first, of all generations that are still here. */
export async function listCheckpoints(at: ActPlace, streamId: StreamId): Promise<readonly Checkpoint[]> {
  return await requireReadable(streamId, async () => {
    const found: Checkpoint[] = []
    for await (const { checkpoints } of generations(at, streamId))
      for (const { commit, manifest, act } of checkpoints) found.push(describe({ commit, manifest }, act))
    return unique(found)
  })
}

/** Checks every checkpoint against the head: its signature, and that all later roots continue its own. */
export async function verifyCheckpoints(at: ActPlace, streamId: StreamId): Promise<readonly CheckedCheckpoint[]> {
  return await requireReadable(streamId, async () => {
    const found: CheckedCheckpoint[] = []
    for await (const { head, checkpoints } of generations(at, streamId)) {
      const faults = await findFaults(at, head, checkpoints.length === 0)
      for (const { commit, manifest, act } of checkpoints)
        found.push({
          ...describe({ commit, manifest }, act),
          ...{ signature: checkSignature(manifest, act), fault: faults(manifest) },
        })
    }
    return unique(found)
  })
}

interface FoundCheckpoint {
  readonly commit: Oid
  readonly manifest: Manifest
  readonly act: CheckpointAct
}

async function* generations(at: ActPlace, streamId: StreamId) {
  let head: StreamHead | null = await at.heads.require(streamId)
  while (head !== null) {
    const checkpoints: FoundCheckpoint[] = []
    let first: Manifest = head.manifest
    for await (const { commit, hints } of walkChain(at.place.git, at.reader.manifests, head.commit)) {
      if (hints !== null && hints.act !== 'checkpoint' && hints.act !== 'carry') continue
      const { manifest } = await at.reader.manifests.read(commit)
      if (manifest.act?.name === 'checkpoint') checkpoints.push({ commit, manifest, act: manifest.act })
      first = manifest
    }
    yield { head, checkpoints }
    if (first.act?.name !== 'carry') return
    const before: StreamHead | null = await at.heads.read(streamId, first.act.previousGeneration)
    head = before?.manifest.incarnation === head.manifest.incarnation ? before : null
  }
}

/** Retention keeps the checkpoints after its cut in both generations; the newer one counts. */
function unique<Found extends Checkpoint>(all: readonly Found[]): readonly Found[] {
  const seen = new Set<string>()
  return all.filter(({ entries, tsUnixMs, kind, root }) => {
    const key = `${entries} ${tsUnixMs} ${root} ${kind}`
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}

/** The peaks at each number of entries, from the subtrees of the commits, compared with what the manifests state. */
async function findFaults(
  at: ActPlace,
  { commit, manifest }: StreamHead,
  isNeedless: boolean,
): Promise<(checkpoint: Manifest) => string | null> {
  if (isNeedless) return () => null
  const { manifests } = at.reader
  const chain: Oid[] = []
  for await (const link of walkChain(at.place.git, manifests, commit)) chain.push(link.commit)
  let peaks: PeakList | null = null
  /** Entries from which on all stated peaks follow from those before. */
  let soundFrom = 0
  for (const oid of chain.reverse()) {
    const found = await manifests.read(oid)
    const own = ownEntriesOf(found.manifest)
    if (peaks === null || peaks.entries !== found.manifest.entries - own) {
      if (peaks !== null) soundFrom = found.manifest.entries
      peaks = PeakList.of(found.manifest.entries, found.manifest.peaks)
      if (found.manifest.act?.name !== 'carry' && found.manifest.entries > own) soundFrom = found.manifest.entries
      continue
    }
    const { leaves, subtrees } = await ownSubtreesOf(manifests, found)
    for (const leaf of leaves ?? []) peaks.append(leaf)
    if (subtrees !== null) appendSubtrees(peaks, peaks.entries, own, subtrees)
    const stated = found.manifest.peaks
    const isSame =
      peaks.peaks.length === stated.length && peaks.peaks.every((peak, i) => sameBytes(peak, stated[i] as Uint8Array))
    if (isSame) continue
    soundFrom = found.manifest.entries
    peaks = PeakList.of(found.manifest.entries, stated)
  }
  return (checkpoint) => {
    if (checkpoint.incarnation !== manifest.incarnation) return 'it is of another incarnation'
    if (checkpoint.entries >= soundFrom) return null
    return `the roots up to entry ${soundFrom} do not continue each other`
  }
}

/** Retention copies checkpoints into a later generation; the one that was signed is among those up to this. */
function checkSignature(manifest: Manifest, act: CheckpointAct): CheckedCheckpoint['signature'] {
  const { key, signature } = act
  if (key === null || signature === null) return 'none'
  for (let { generation } = manifest; generation >= 0; generation--) {
    const digest = formatHex(checkpointDigest({ ...manifest, generation }, act))
    if (verifySignature(digest, signature, formatHex(key))) return 'valid'
  }
  return 'wrong'
}

function describe({ commit, manifest }: Pick<StreamHead, 'commit' | 'manifest'>, act: CheckpointAct): Checkpoint {
  const { streamId, incarnation, generation, entries } = manifest
  return {
    ...{ streamId, incarnation, generation, commit, entries, nextOffset: nextOffsetOf(manifest) },
    ...{ tsUnixMs: act.ts, actor: act.actor, reason: act.reason, kind: act.kind },
    root: formatHex(rootOfManifest(manifest)),
    key: act.key === null ? null : formatHex(act.key),
  }
}
