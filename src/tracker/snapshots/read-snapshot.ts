import type { GitPort } from '../../git/index.ts'
import { UnusableSnapshotError } from '../../model/index.ts'
import { openSnapshot, type Snapshot, type SnapshotRef } from '../../wal/index.ts'

/** A snapshot ref with its snapshot, or the reason why it has none. */
export type ReadSnapshot =
  | { readonly row: SnapshotRef; readonly snapshot: Snapshot; readonly problem: null }
  | { readonly row: SnapshotRef; readonly snapshot: null; readonly problem: string }

/** Reads the metadata of a snapshot. */
export async function readSnapshot(git: GitPort, row: SnapshotRef): Promise<ReadSnapshot> {
  try {
    return { row, snapshot: await openSnapshot(git, row), problem: null }
  } catch (error) {
    if (!(error instanceof UnusableSnapshotError)) throw error
    return { row, snapshot: null, problem: `${reasonOf(error)}` }
  }
}

/** The reason why a snapshot is unusable, without the name of its ref. */
export function reasonOf({ details, message }: UnusableSnapshotError): string {
  return typeof details.reason === 'string' ? details.reason : message
}
