import { existsSync } from 'node:fs'
import { CorruptObjectError, ObjectTooLargeError } from '../model/errors/index.ts'
import { CommitAssembler, type ObjectState } from './assemble-commit.ts'
import { readLooseObject } from './in-process/loose-objects.ts'
import type { CommitEntry, Oid, RepositoryLayout } from './port.ts'
import { looseObjectPath } from './ref-paths.ts'
import { readShallow } from './shallow.ts'
import { type EntryOptions, metadataBytesMax, objectBytesMax } from './walk-history.ts'

/** Reading this many commits here costs as much as starting git's two processes. */
const chainCommitsMax = 64
const chainBytesMax = 4 * 1024 * 1024

export interface ShortChain {
  /** Oldest first. */
  readonly entries: readonly CommitEntry[]
  readonly end: 'excluded' | 'root'
}

/**
 * Reads the common case without git: a few new commits, each with one parent, all loose and whole, down to the one
 * excluded commit, or to the first commit when none is excluded.
 *
 * @returns null in any other case
 */
export function readShortChain(
  layout: RepositoryLayout,
  head: Oid,
  exclude: readonly Oid[],
  options: EntryOptions,
): ShortChain | null {
  // Only a full walk can order two excluded commits on the chain.
  if (layout.unusualObjectStore || exclude.length > 1) return null
  const shallow = readShallow(layout)
  const entries: CommitEntry[] = []
  let bytes = 0
  for (let oid = head; oid !== exclude[0]; ) {
    // Stop even if the parent is present: git hides it, and the result must not depend on the reader.
    const mayGoOn = entries.length < chainCommitsMax && !shallow.has(oid)
    const entry = mayGoOn ? readLooseEntry(layout, oid, options) : null
    if (entry === null || entry.parents.length > 1) return null
    for (const file of entry.files) bytes += file.content?.byteLength ?? 0
    if (bytes > chainBytesMax) return null
    entries.push(entry)
    const parent = entry.parents[0]
    if (parent === undefined) return exclude.length === 0 ? { entries: entries.reverse(), end: 'root' } : null
    oid = parent
  }
  // Being excluded does not prove that it exists.
  if (!existsSync(looseObjectPath(layout, exclude[0] as Oid))) return null
  return { entries: entries.reverse(), end: 'excluded' }
}

/** Null when any part is not a whole loose object, or is large; the careful readers then say why. */
function readLooseEntry(
  layout: RepositoryLayout,
  oid: Oid,
  { blobBytesMax, comesFirst }: EntryOptions,
): CommitEntry | null {
  const known = new Map<Oid, ObjectState>()
  const commit = readLooseState(layout, oid, metadataBytesMax)
  if (commit === null) return null
  const assembler = new CommitAssembler(layout.objectFormat, oid, commit, (wanted) => known.get(wanted), comesFirst)
  let bytes = 0
  for (;;) {
    const result = assembler.assemble()
    if (!('wanted' in result)) return result.problem === null ? result : null
    for (const wanted of result.wanted) {
      const state = readLooseState(layout, wanted, blobBytesMax)
      if (state === null) return null
      known.set(wanted, state)
      bytes += typeof state === 'string' ? 0 : state.length
      if (bytes > chainBytesMax) return null
    }
  }
}

function readLooseState(layout: RepositoryLayout, oid: Oid, blobBytesMax: number): ObjectState | null {
  try {
    const object = readLooseObject(layout, oid, Math.max(blobBytesMax, metadataBytesMax))
    if (object === null) return null
    return object.content.byteLength > objectBytesMax(object.type, blobBytesMax)
      ? 'too-large'
      : (object.content as Buffer)
  } catch (error) {
    if (error instanceof CorruptObjectError || error instanceof ObjectTooLargeError) return null
    throw error
  }
}
