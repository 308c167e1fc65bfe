import { basename } from 'node:path'
import { formatJournalName, type JournalPlace, listOwnJournals } from './journal-place.ts'
import { type JournalState, readJournals } from './read-journals.ts'

/**
 * The journals of a stream for a reader that follows it: a look judges only what was appended since the last one.
 *
 * Invariants
 * - A file is kept only while its path names it, and while it only grows.
 * - The folder is listed unless the newest file has grown and is not closed: only a closed file gets a follower. So a look
 *   that finds nothing new in the files that it knows finds new files.
 */
export class KeptJournals {
  #place: JournalPlace | null = null
  #state: JournalState | null = null

  /** Like `readJournals`. The state is good until the next look, and is closed by it or by `close`. */
  look(place: JournalPlace): JournalState {
    const known = this.#place?.encodedId === place.encodedId && this.#place.generation === place.generation
    const present = known ? this.#catchUp() : null
    if (present?.hasGrown === true && present.state.last?.closed === null) return this.#keep(place, present.state)
    const names = listOwnJournals(place)
    const isSame = present !== null && hasFiles(present.state, names.map(formatJournalName))
    if (isSame) return this.#keep(place, present.state)
    this.close()
    return this.#keep(place, readJournals(place, 'read', names))
  }

  close(): void {
    this.#state?.close()
    this.#state = null
  }

  #keep(place: JournalPlace, state: JournalState): JournalState {
    this.#place = place
    this.#state = state
    return state
  }

  /** Null when what is known holds no longer. */
  #catchUp(): { readonly state: JournalState; readonly hasGrown: boolean } | null {
    const state = this.#state
    if (state === null || state.all.length === 0) return null
    let hasGrown = false
    for (const file of state.all) {
      const judged = file.isInPlace() ? file.judge() : 'cut'
      if (judged === 'cut') return null
      hasGrown ||= judged === 'grown'
    }
    const ordered = hasGrown ? state.reordered() : state
    return ordered === null ? null : { state: ordered, hasGrown }
  }
}

function hasFiles({ all }: JournalState, names: readonly string[]): boolean {
  const known = new Set(all.map(({ path }) => basename(path)))
  return names.length === known.size && names.every((name) => known.has(name))
}
