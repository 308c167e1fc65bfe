import type { JournalFile } from './journal-file.ts'
import type { JournalPlace } from './journal-place.ts'
import type { SealedPoint } from './journal-writer.ts'
import { type JournalState, readJournals } from './read-journals.ts'

/**
 * Removes files whose records are all sealed, oldest first: closed ones, and those that a process has left when it died, with
 * another file behind them. The newest file stays, because its token decides the name of the next one, unless the generation has
 * ended.
 *
 * @param sealed - what the ref holds, flushed
 * @param isOnChain - whether a commit is the sealed one or reachable from it by first parents
 * @param newest - `remove` only after `continued` or `tombstone`
 * @returns the paths of the removed files
 */
export async function unlinkSealed(
  place: JournalPlace,
  sealed: Pick<SealedPoint, 'nextOffset'>,
  isOnChain: (commit: string) => boolean | Promise<boolean>,
  newest: 'keep' | 'remove' = 'keep',
): Promise<readonly string[]> {
  const { disk, folder } = place
  const state = readJournals(place)
  const removed: string[] = []
  try {
    for (const file of state.all) {
      if (file.nextOffset > sealed.nextOffset) continue
      const isLast = file === state.last
      if (isLast ? newest === 'keep' || file.closed === null : !isEnded(file, state, sealed.nextOffset)) continue
      if (file.open !== null && !(await isOnChain(file.open.sealedCommit))) continue
      if (!file.isInPlace()) continue
      disk.remove(file.path)
      removed.push(file.path)
    }
  } finally {
    state.close()
  }
  if (removed.length > 0) await disk.flushFolder(folder)
  return removed
}

/** Whether nothing more will be appended to a file before the newest, as far as the sealed records tell. */
function isEnded(file: JournalFile, { files }: JournalState, sealedOffset: number): boolean {
  if (file.closed !== null) return true
  const next = files[files.indexOf(file) + 1]
  return files.includes(file) && next !== undefined && next.firstOffset <= sealedOffset
}
