import type { Oid } from '../../git/index.ts'
import { UnusableSnapshotError } from '../../model/index.ts'
import {
  findSnapshotFault,
  type NamedSnapshot,
  openSnapshot,
  type Snapshot,
  snapshotTimeOf,
  walRef,
} from '../../wal/index.ts'
import type { CommandContext } from '../effects.ts'
import type { Workspace } from '../workspace.ts'
import { reasonOf } from './read-snapshot.ts'
import { describeDifference, isTrusted, type SnapshotStanding, SnapshotTrust } from './snapshot-trust.ts'

/** Maximum number of snapshots that one sync checks against the log. The others stay unchecked until they are used. */
const checksMax = 3
/** Maximum number of events that the checks of one sync read: a few seconds. */
const eventsMax = 300_000

/** `elsewhere`: the snapshot belongs to a log, or a part of the log, that this clone does not have. */
export type Admitted = 'trusted' | 'unchecked' | 'elsewhere' | { readonly fault: string }

/** Judges the snapshots that a sync adopts or pushes. */
export class SnapshotAdmission {
  readonly #repository: Workspace
  readonly #context: Pick<CommandContext, 'progress'>
  readonly #trust: SnapshotTrust
  #head: Promise<Oid | null> | undefined
  #checks = 0
  #events = 0

  constructor(repository: Workspace, context: Pick<CommandContext, 'progress'>) {
    this.#repository = repository
    this.#context = context
    this.#trust = new SnapshotTrust(repository, async (actor) => (await repository.view()).findActor(actor))
  }

  async judge({ ref, oid }: NamedSnapshot): Promise<Admitted> {
    const { git } = this.#repository
    const known = this.#trust.recall(oid)
    if (known.verdict === 'refused') return { fault: `${describeDifference(known)}; it is refused for good` }
    const fault = await findSnapshotFault(git, { ref, oid })
    if (fault !== null) return { fault }
    const snapshot = await openSnapshot(git, { ref, oid, timestamp: snapshotTimeOf(ref) })
    this.#head ??= git.readRef(walRef)
    const head = await this.#head
    if (head === null || !(await git.isAncestor(snapshot.walHead, head))) return 'elsewhere'
    return this.#judgeContent(snapshot)
  }

  async #judgeContent(snapshot: Snapshot): Promise<Admitted> {
    const found = await this.#trust.find(snapshot)
    if (found.verdict !== 'unchecked') return isTrusted(found.verdict) ? 'trusted' : refusal(found)
    this.#events += snapshot.eventCount
    if (this.#checks === checksMax || this.#events > eventsMax) return 'unchecked'
    this.#checks += 1
    const progress = this.#context.progress('Checking a snapshot')
    try {
      const checked = await this.#trust.judge(snapshot, { progress: (done) => progress.report(done, null) })
      if (checked.verdict === 'unchecked') return 'unchecked'
      return isTrusted(checked.verdict) ? 'trusted' : refusal(checked)
    } catch (error) {
      if (error instanceof UnusableSnapshotError) return { fault: reasonOf(error) }
      throw error
    } finally {
      progress.end()
    }
  }
}

function refusal(standing: SnapshotStanding): { readonly fault: string } {
  return { fault: `${describeDifference(standing)}; it is refused for good` }
}
