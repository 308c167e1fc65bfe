/** What a commit of a stream does beside sealing (docs/format.md#acts). */
import type { CborValue } from '../cbor.ts'
import type { ActorId } from '../ids.ts'
import type { CborReader } from './cbor-reader.ts'
import { StreamFormatError } from './format-error.ts'
import { readLabels, sortedLabels } from './labels.ts'
import { bytesOfHex, type Incarnation, type StreamId } from './stream-id.ts'
import { streamLimits } from './stream-limits.ts'

/** Who acted, when, and why. */
interface Deed {
  /** Milliseconds. */
  readonly ts: number
  readonly actor: ActorId | null
  readonly reason: string | null
}

export interface MergeBase {
  readonly streamId: StreamId
  readonly incarnation: Incarnation
  readonly offset: number
}

export interface MergeAct extends Deed {
  readonly name: 'merge'
  readonly policy: MergePolicy
  /** Up to which each source was merged, in the order of their commits among the parents. */
  readonly offsets: readonly number[]
  /** The best common positions. */
  readonly bases: readonly MergeBase[]
  /** Sorted by key, no key twice. */
  readonly evidence: readonly (readonly [key: string, value: string])[]
  readonly notes: readonly string[]
}

export interface CheckpointAct extends Deed {
  readonly name: 'checkpoint'
  readonly kind: string
  /** 32 bytes. */
  readonly key: Uint8Array | null
  /** 64 bytes: Ed25519 over `checkpointDigest`. */
  readonly signature: Uint8Array | null
}

export interface CarryAct extends Deed {
  readonly name: 'carry'
  readonly previousGeneration: number
  /** Root of the last commit before the cut. */
  readonly previousRoot: Uint8Array
  readonly cutEntry: number
}

export type Act =
  | { readonly name: 'genesis' }
  | MergeAct
  | (Deed & { readonly name: 'takeover'; readonly previousEpoch: number })
  | CheckpointAct
  | CarryAct
  | (Deed & { readonly name: 'continued'; readonly nextGeneration: number })
  | (Deed & { readonly name: 'tombstone' })
  /** An act of a later version: `bytes` is all of it, as stored. */
  | { readonly name: 'unknown'; readonly text: string; readonly bytes: Uint8Array }

/** Acts whose commits may have content. */
const withContent: ReadonlySet<Act['name']> = new Set(['genesis', 'merge', 'unknown'])

export function mayHaveContent(act: Act | null): boolean {
  return act === null || withContent.has(act.name)
}

/** The act as shown: that of a later version has its own name. */
export function nameOfAct(act: Act): string {
  return act.name === 'unknown' ? act.text : act.name
}

export type MergePolicy = 'fast-forward' | 'recursive' | 'interleave' | 'ours' | `custom:${string}`

export function isMergePolicy(text: string): text is MergePolicy {
  return /^(?:fast-forward|recursive|interleave|ours|custom:.+)$/su.test(text)
}

/** @param act - not `unknown`, whose bytes are written as they are */
export function actValue(act: Exclude<Act, { name: 'unknown' }>): CborValue {
  if (act.name === 'genesis') return ['genesis']
  const deed = [act.name, act.ts, act.actor === null ? null : bytesOfHex(act.actor), act.reason]
  switch (act.name) {
    case 'merge': {
      const bases = act.bases.map((base) => [base.streamId, bytesOfHex(base.incarnation), base.offset])
      return [...deed, act.policy, act.offsets, bases, sortedLabels(act.evidence), act.notes]
    }
    case 'takeover':
      return [...deed, act.previousEpoch]
    case 'checkpoint':
      return [...deed, act.kind, act.key, act.signature]
    case 'carry':
      return [...deed, act.previousGeneration, act.previousRoot, act.cutEntry]
    case 'continued':
      return [...deed, act.nextGeneration]
    case 'tombstone':
      return deed
  }
}

const elementCounts = {
  genesis: 1,
  merge: 9,
  takeover: 5,
  checkpoint: 7,
  carry: 7,
  continued: 5,
  tombstone: 4,
} as const

/** Levels of arrays that an act of a later version may have, without itself. */
const unknownNestingMax = 8

/** @param bytes - what the reader reads */
export function readAct(reader: CborReader, bytes: Uint8Array): Act {
  const start = reader.position
  const count = reader.count('elements of an act', bytes.length)
  if (count === 0) reader.fail('the name of an act')
  const name = reader.text('the name of an act')
  if (!isKnown(name)) {
    if (!/^[!-~]{1,64}$/.test(name)) reader.fail('the name of an act')
    for (let rest = count - 1; rest > 0; rest--) reader.skip(unknownNestingMax)
    return { name: 'unknown', text: name, bytes: bytes.subarray(start, reader.position) }
  }
  if (count !== elementCounts[name]) reader.fail(`${name} of ${elementCounts[name]} elements`)
  if (name === 'genesis') return { name }
  const ts = reader.unsigned('a timestamp')
  const actor = reader.orNull(() => reader.hex('an actor', 16) as ActorId)
  const deed: Deed = { ts, actor, reason: reader.orNull(() => reader.text('a reason')) }
  switch (name) {
    case 'merge':
      return readMerge(reader, deed)
    case 'takeover':
      return { name, ...deed, previousEpoch: reader.unsigned('an epoch') }
    case 'checkpoint': {
      const kind = reader.text('a kind')
      const key = reader.orNull(() => reader.bytes('a key', 32))
      return { name, ...deed, kind, key, signature: reader.orNull(() => reader.bytes('a signature', 64)) }
    }
    case 'carry': {
      const previousGeneration = reader.unsigned('a generation')
      const previousRoot = reader.bytes('a root', 32)
      return { name, ...deed, previousGeneration, previousRoot, cutEntry: reader.unsigned('an entry') }
    }
    case 'continued':
      return { name, ...deed, nextGeneration: reader.unsigned('a generation') }
    case 'tombstone':
      return { name, ...deed }
  }
}

function isKnown(name: string): name is keyof typeof elementCounts {
  return Object.hasOwn(elementCounts, name)
}

function readMerge(reader: CborReader, deed: Deed): MergeAct {
  const policy = reader.text('a policy')
  if (!isMergePolicy(policy)) throw new StreamFormatError('unknown merge policy')
  const offsets = reader.list('offsets', streamLimits.mergeSourcesMax, () => reader.unsigned('an offset'))
  const bases = reader.list('bases', streamLimits.rowsMax, () => {
    reader.tuple(3, 'a base')
    const streamId = reader.text('a stream id') as StreamId
    const incarnation = reader.hex('an incarnation', 8) as Incarnation
    return { streamId, incarnation, offset: reader.unsigned('an offset') }
  })
  const evidence = readLabels(reader, 'evidence', streamLimits.rowsMax)
  const notes = reader.list('notes', streamLimits.rowsMax, () => reader.text('a note'))
  return { name: 'merge', ...deed, policy, offsets, bases, evidence, notes }
}
