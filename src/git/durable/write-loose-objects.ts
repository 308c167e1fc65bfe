import type { PendingObject, RepositoryLayout } from '../port.ts'
import { type Disk, nodeDisk } from './disk.ts'
import { stageObjects } from './object-writer.ts'

/** Where another thread writes objects, and whether it flushes them. */
export interface ObjectPlace {
  readonly layout: RepositoryLayout
  readonly flushes: boolean
}

/** Writes loose objects, which a publish may then name as `staged`. It needs no port, so any thread can do it. */
export async function writeLooseObjects(
  { layout, flushes }: ObjectPlace,
  objects: readonly PendingObject[],
  disk: Disk = nodeDisk,
): Promise<void> {
  const staged = stageObjects({ disk, layout, warn() {} }, objects)
  try {
    if (flushes) await disk.flushFiles(staged.files)
    const gained = await staged.place(flushes)
    if (flushes) await disk.flushDirectories([...new Set(gained)])
  } finally {
    staged.discard()
  }
}
