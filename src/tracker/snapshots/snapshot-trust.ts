/**
 * Decides whether a snapshot may be used. A snapshot only repeats the log, and anyone who can push can push one that omits
 * or adds events. So grite uses a snapshot
 * - that this clone made (`own`),
 * - that this clone has checked against the log (`checked`),
 * - that is signed with the present key of an actor in this clone or in the log's cards (`signed`), except under
 *   `verify_signatures = "reject"`, because anyone who can push can add an actor to the log,
 * - that the user explicitly trusts (`unchecked`).
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

/** Whether a snapshot may be used, counted and pushed without a check. */
export function isTrusted(verdict: SnapshotVerdict): boolean {
  return verdict === 'own' || verdict === 'checked' || verdict === 'signed'
}

/** The known facts about a snapshot; `unchecked` when there are none. */
export interface SnapshotStanding extends Omit<KnownSnapshot, 'verdict'> {
  readonly verdict: SnapshotVerdict
  /** Why a check failed to complete in this clone. */
  readonly whyUnchecked?: string
}

const nothingFound = { hasRepeats: false, isReportTrue: true, missing: 0, added: 0 } as const
const unchecked: SnapshotStanding = { ...nothingFound, isReportTrue: false, verdict: 'unchecked' }

export interface JudgeOptions {
  readonly progress?: (commitsDone: number) => void
  /** False for read-only use. */
  readonly remember?: boolean
}

export class SnapshotTrust {
  readonly #repository: Workspace
  readonly #memory: SnapshotMemory
  readonly #findPinned: FindPinned
  #keys: Promise<KeyRing> | undefined

  /** @param findPinned - keys from the cards of the log, if a view is open anyway */
  constructor(repository: Workspace, findPinned: FindPinned = async () => undefined) {
    this.#repository = repository
    this.#memory = new SnapshotMemory(repository.paths)
    this.#findPinned = findPinned
  }

  /** Returns the remembered facts about a snapshot. */
  recall(oid: Oid): SnapshotStanding {
    return this.#memory.find(oid) ?? unchecked
  }

  /** Returns the known facts about a snapshot, including its signature. Does not read the log. */
  async find(snapshot: Snapshot): Promise<SnapshotStanding> {
    const known = this.recall(snapshot.oid)
    if (known.verdict !== 'unchecked' && known.verdict !== 'signed') return known
    const { verifySignatures, snapshot: settings } = await this.#repository.config()
    if (!settings.trustSigned || verifySignatures === 'reject') return unchecked
    if (known.verdict === 'signed') return known
    if (!(await this.#isSignedByPinned(snapshot))) return unchecked
    const signed: KnownSnapshot = { ...nothingFound, verdict: 'signed' }
    // It stays `signed` even if the actor replaces the key later.
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
   * Like `find`, but checks an unknown snapshot against the log. It stays `unchecked` if this clone lacks a part of the
   * log.
   *
   * @param snapshot - its `walHead` must be in the log
   * @throws {UnusableSnapshotError} when it is malformed
   */
  async judge(snapshot: Snapshot, { progress, remember = true }: JudgeOptions = {}): Promise<SnapshotStanding> {
    const found = await this.find(snapshot)
    if (found.verdict !== 'unchecked') return found
    const { git } = this.#repository
    const hydrate = hydrator(this.#repository)
    const check = await checkSnapshot({ git, snapshot, hydrate, mayUseFile: remember, ...(progress && { progress }) })
    if (check.outcome === 'unknown') return { ...unchecked, whyUnchecked: check.reason }
    const known = knownBy(check)
    if (remember) await this.#memory.remember(snapshot.oid, known)
    return known
  }

  /** Creates a snapshot of everything up to `head`, signed if the actor has a key. */
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

/** `it omits 2 events of the log and adds 1 event that the log does not have` */
export function describeDifference({ missing, added }: SnapshotDifference): string {
  const left = missing === 0 ? [] : [`omits ${countOf(missing)} of the log`]
  const more = added === 0 ? [] : [`adds ${countOf(added)} that the log does not have`]
  return `it ${[...left, ...more].join(' and ')}`
}

const countOf = (events: number): string => `${events} ${events === 1 ? 'event' : 'events'}`
