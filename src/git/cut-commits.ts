import type { CutCommit, Oid } from './port.ts'
import { collectCommits, type ReadObject, readParents } from './walk-history.ts'

/** The commits among these whose parents are cut off. */
export async function keepCut(
  oids: Iterable<Oid>,
  shallow: ReadonlySet<Oid>,
  read: ReadObject,
): Promise<readonly CutCommit[]> {
  const cut: CutCommit[] = []
  for (const oid of oids) {
    const [parent] = shallow.has(oid) ? await readParents(read, oid) : []
    if (parent !== undefined) cut.push({ oid, parent })
  }
  return cut
}

/** Like `GitPort.findCutCommits`. */
export async function findCutInProcess(
  read: ReadObject,
  heads: readonly Oid[],
  shallow: ReadonlySet<Oid>,
): Promise<readonly CutCommit[]> {
  if (shallow.size === 0) return []
  return keepCut((await collectCommits(read, heads, new Set(), shallow)).keys(), shallow, read)
}
