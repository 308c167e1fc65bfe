/**
 * Decides whether a snapshot may be used. A snapshot only repeats the log, and anyone who can push can push one that leaves
 * out events or adds some. So grite uses a snapshot
 *
 * - that this clone made (`own`),
 * - that this clone has checked against the log (`checked`),
 * - that is signed with the present key of an actor, as this clone or the log's cards have it (`signed`); not where received
 *   signatures must be valid (`verify_signatures = "reject"`), because anybody who can push can add an actor to the log,
 * - that the user asks to trust (`unchecked`).
 *
 * A snapshot that differs from the log is refused for good (`refused`).
 */

import type { Oid } from '../../git/index.ts'
import { hydrator } from '../../git/index.ts'
import {
  checkSnapshot,
  isSignatureValid,
  type Snapshot,
  type SnapshotCheck,
  type SnapshotDifference,
  type SnapshotMaker,
  type WrittenSnapshot,
  writeSnapshot,
} from '../../wal/index.ts'
import { type FindPinned, KeyRing, readLocalKeys } from '../identity/key-ring.ts'
import { readSigner } from '../local/signing-key.ts'
import type { Workspace } from '../workspace.ts'
import { type KnownSnapshot, SnapshotMemory } from './snapshot-memory.ts'

export type SnapshotVerdict = KnownSnapshot['verdict'] | 'unchecked'

/** Whether a snapshot may be used, counted and sent as it is. */
export function isTrusted(verdict: SnapshotVerdict): boolean {
  return verdict === 'own' || verdict === 'checked' || verdict === 'signed'
}

/** What is known of a snapshot, `unchecked` when nothing is. */
export interface SnapshotStanding extends Omit<KnownSnapshot, 'verdict'> {
  readonly verdict: SnapshotVerdict
  /** Why it could not be checked here, when that was tried. */
  readonly whyUnchecked?: string
}

const nothingFound = { hasRepeats: false, isReportTrue: true, missing: 0, added: 0 } as const
const unchecked: SnapshotStanding = { ...nothingFound, isReportTrue: false, verdict: 'unchecked' }

export interface JudgeOptions {
  readonly progress?: (commitsDone: number) => void
  /** False where nothing may be written. */
  readonly remember?: boolean
}

export class SnapshotTrust {
  readonly #repository: Workspace
  readonly #memory: SnapshotMemory
  readonly #findPinned: FindPinned
  #keys: Promise<KeyRing> | undefined

  /** @param findPinned - keys by the cards of the log, where a view is open anyway */
  constructor(repository: Workspace, findPinned: FindPinned = async () => undefined) {
    this.#repository = repository
    this.#memory = new SnapshotMemory(repository.paths)
    this.#findPinned = findPinned
  }

  /** What is remembered of a snapshot. */
  recall(oid: Oid): SnapshotStanding {
    return this.#memory.find(oid) ?? unchecked
  }

  /** What is known of a snapshot, its signature included. The log is not read. */
  async find(snapshot: Snapshot): Promise<SnapshotStanding> {
    const known = this.recall(snapshot.oid)
    if (known.verdict !== 'unchecked' && known.verdict !== 'signed') return known
    const { verifySignatures, snapshot: settings } = await this.#repository.config()
    if (!settings.trustSigned || verifySignatures === 'reject') return unchecked
    if (known.verdict === 'signed') return known
    if (!(await this.#isSignedByPinned(snapshot))) return unchecked
    const signed: KnownSnapshot = { ...nothingFound, verdict: 'signed' }
    // It stays signed when the actor replaces the key later.
    await this.#memory.remember(snapshot.oid, signed)
    return signed
  }

  async #isSignedByPinned(snapshot: Snapshot): Promise<boolean> {
    const { signature } = snapshot
    if (signature === null) return false
    this.#keys ??= readLocalKeys(this.#repository).then((local) => new KeyRing(local, this.#findPinned))
    const { keys } = await (await this.#keys).trustIn(signature.actor)
    const isPresentKey = keys.at(-1)?.publicKey === signature.publicKey
    return isPresentKey && (await isSignatureValid(this.#repository.git, snapshot))
  }

  /**
   * As `find`, but checks a snapshot of which nothing is known against the log. It stays unchecked where this clone lacks
   * a part of the log.
   *
   * @param snapshot - one whose `walHead` is in the log
   * @throws {UnusableSnapshotError} when it is malformed
   */
  async judge(snapshot: Snapshot, { progress, remember = true }: JudgeOptions = {}): Promise<SnapshotStanding> {
    const found = await this.find(snapshot)
    if (found.verdict !== 'unchecked') return found
    const { git } = this.#repository
    const hydrate = hydrator(this.#repository)
    const check = await checkSnapshot({ git, snapshot, hydrate, ...(progress && { progress }) })
    if (check.outcome === 'unknown') return { ...unchecked, whyUnchecked: check.reason }
    const known = knownBy(check)
    if (remember) await this.#memory.remember(snapshot.oid, known)
    return known
  }

  /** Makes a snapshot of everything up to `head`, signed where the actor has a key. */
  async make(options: {
    readonly head: Oid
    readonly nowUnixMs: number
    readonly progress: (commitsDone: number) => void
  }): Promise<WrittenSnapshot> {
    const maker = await findMaker(this.#repository)
    const written = await writeSnapshot({ git: this.#repository.git, ...options, maker })
    await this.#memory.remember(written.oid, { ...nothingFound, verdict: 'own' })
    return written
  }
}

function knownBy(check: Exclude<SnapshotCheck, { readonly outcome: 'unknown' }>): KnownSnapshot {
  if (check.outcome === 'differs') {
    const { missing, added } = check
    return { ...nothingFound, verdict: 'refused', missing, added }
  }
  const { hasRepeats, isReportTrue } = check
  return { ...nothingFound, verdict: 'checked', hasRepeats, isReportTrue }
}

async function findMaker(repository: Workspace): Promise<SnapshotMaker | null> {
  const actor = (await repository.findActor())?.actor
  const signer = actor && (await readSigner(repository.paths, actor))
  return actor === undefined || signer === undefined ? null : { actor: actor.id, signer }
}

/** `it leaves out 2 events of the log and adds 1 event that the log does not hold` */
export function describeDifference({ missing, added }: SnapshotDifference): string {
  const left = missing === 0 ? [] : [`leaves out ${countOf(missing)} of the log`]
  const more = added === 0 ? [] : [`adds ${countOf(added)} that the log does not hold`]
  return `it ${[...left, ...more].join(' and ')}`
}

const countOf = (events: number): string => `${events} ${events === 1 ? 'event' : 'events'}`
