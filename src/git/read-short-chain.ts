import { existsSync } from 'node:fs'
import { CorruptObjectError, ObjectTooLargeError } from '../model/errors/index.ts'
import { CommitAssembler, type ObjectState } from './assemble-commit.ts'
import { readLooseObject } from './in-process/loose-objects.ts'
import type { CommitEntry, Oid, RepositoryLayout } from './port.ts'
import { looseObjectPath } from './ref-paths.ts'
import { readShallow } from './shallow.ts'
import { type EntryOptions, metadataBytesMax, objectBytesMax } from './walk-history.ts'

/** Starting git's two processes costs as much as reading so many commits here. */
const chainCommitsMax = 64
const chainBytesMax = 4 * 1024 * 1024

export interface ShortChain {
  /** Oldest first. */
  readonly entries: readonly CommitEntry[]
  readonly end: 'excluded' | 'root'
}

/**
 * Reads the common case without git: a few new commits, each with one parent, all loose and whole, that end at the one
 * excluded commit, or at the first one when nothing is excluded.
 *
 * @returns null when it is not that case
 */
export function readShortChain(
  layout: RepositoryLayout,
  head: Oid,
  exclude: readonly Oid[],
  options: EntryOptions,
): ShortChain | null {
  // Two excluded commits may lie on the chain in an order that only a whole walk can tell.
  if (layout.unusualObjectStore || exclude.length > 1) return null
  const shallow = readShallow(layout)
  const entries: CommitEntry[] = []
  let bytes = 0
  for (let oid = head; oid !== exclude[0]; ) {
    // Also where the parent is here: git hides it, and what is read must not depend on the reader.
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
  // That it is excluded says nothing of its being here.
  if (!existsSync(looseObjectPath(layout, exclude[0] as Oid))) return null
  return { entries: entries.reverse(), end: 'excluded' }
}

/** Null when anything of it is not a whole loose object, or much; the careful readers then say what. */
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
