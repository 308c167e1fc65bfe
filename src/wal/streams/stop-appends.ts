/**
 * Lets nothing be appended to a generation, in any process, while its ref moves otherwise than by a seal: a fetch may bring
 * records at the next offset, another owner, or the end of the generation.
 */
import type { GitPort, Oid } from '../../git/index.ts'
import { ConflictError } from '../../model/index.ts'
import {
  type CloneId,
  type Incarnation,
  nextOffsetOf,
  rootOfManifest,
  type StreamId,
} from '../../model/streams/index.ts'
import { findDivergence } from './find-divergence.ts'
import { type JournalFacts, type JournalPlace, JournalWriter, readJournals, type SealedPoint } from './journal/index.ts'
import { type StreamHead, stateOf } from './stream-heads.ts'
import type { StreamReader } from './stream-reader.ts'

export interface StopPlace {
  readonly git: GitPort
  readonly reader: StreamReader
  readonly journals: JournalPlace
  readonly cloneId: CloneId
}

/** Other processes may close the newest file to seal it, each time before this one closes it. */
const triesMax = 100

export class StoppedAppends {
  readonly #place: StopPlace
  readonly #journal: JournalWriter

  private constructor(place: StopPlace, journal: JournalWriter) {
    this.#place = place
    this.#journal = journal
  }

  /**
   * Ends the newest journal with a barrier. Enter the barrier queue first.
   *
   * @param head - that a first journal begins on, to stop processes that open the stream; null to make none
   * @returns null without a journal
   */
  static async begin(place: StopPlace, head: StreamHead | null): Promise<StoppedAppends | null> {
    const { journals, cloneId } = place
    for (let tries = 0; tries < triesMax; tries++) {
      const begun =
        newestOf(journals, cloneId) ?? (head && { facts: factsOf(head, cloneId), sealed: sealedPointOf(head) })
      if (begun === null) return null
      const journal = await JournalWriter.open(journals, begun.facts, begun.sealed)
      try {
        if ((await journal.close('barrier')) === 'barrier') return new StoppedAppends(place, journal)
      } catch (error) {
        journal.dispose()
        throw error
      }
      journal.dispose()
    }
    throw new ConflictError(`other processes keep sealing the journal in ${journals.folder}`, {
      details: { reason: 'contended', path: journals.folder },
    })
  }

  /** False when a process that took this one for dead lets appends go on. */
  async isHeld(): Promise<boolean> {
    return (await this.#journal.refresh()) === 'barrier'
  }

  /** Lets appends go on behind the ref's head, unless they would be refused there. */
  async end(head: StreamHead | null): Promise<void> {
    const { git, reader, cloneId } = this.#place
    if (head === null || stateOf(head.manifest) !== 'live' || head.manifest.epoch.owner !== cloneId) return
    // Otherwise its records would lie below the next file, as if they were sealed.
    if ((await findDivergence(git, reader, head, { files: this.#journal.files, note: null })) !== null) return
    await this.#journal.resume(sealedPointOf(head), head.manifest.epoch.number)
  }

  dispose(): void {
    this.#journal.dispose()
  }
}

interface Begun {
  readonly facts: JournalFacts
  readonly sealed: SealedPoint
}

/** What the newest journal says of itself; null without one, or when its first frame is damaged. */
function newestOf(journals: JournalPlace, cloneId: CloneId): Begun | null {
  const state = readJournals(journals)
  const open = state.last?.open ?? null
  state.close()
  if (open === null) return null
  const { incarnation, epoch, sealedRoot: root, firstOffset: nextOffset } = open
  return {
    facts: { streamId: open.streamId as StreamId, incarnation: incarnation as Incarnation, epoch, cloneId },
    sealed: { commit: open.sealedCommit as Oid, root, nextOffset },
  }
}

function factsOf({ manifest }: StreamHead, cloneId: CloneId): JournalFacts {
  const { streamId, incarnation, epoch } = manifest
  return { streamId, incarnation, epoch: epoch.number, cloneId }
}

export function sealedPointOf({ commit, manifest }: StreamHead): SealedPoint {
  return { commit, root: rootOfManifest(manifest), nextOffset: nextOffsetOf(manifest) }
}
