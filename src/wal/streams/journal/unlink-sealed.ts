import type { JournalFile } from './journal-file.ts'
import type { JournalPlace } from './journal-place.ts'
import type { SealedPoint } from './journal-writer.ts'
import { readJournals } from './read-journals.ts'

/**
 * Removes closed files whose records are all sealed, oldest first. The newest file stays, because its token decides the
 * name of the next one, unless the generation has ended.
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
      if (!isWhollyBelow(file, sealed.nextOffset)) continue
      if (file === state.last && newest === 'keep') continue
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

function isWhollyBelow(file: JournalFile, offset: number): boolean {
  return file.closed !== null && file.nextOffset <= offset
}
