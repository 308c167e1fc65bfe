import { readFileSync, realpathSync } from 'node:fs'
import { asStorageFailure, errnoOf } from './durable/storage-failure.ts'
import type { RepositoryLayout } from './port.ts'
import { findPackedRef, packedRefsPath, parsePackedRefs } from './ref-paths.ts'

/**
 * The file `packed-refs`, read once and on demand: it may have megabytes, and most of our refs have their own files.
 */
export interface PackedRefs {
  /** The value of a ref in the file, even if it is not an id; null when it is not listed. */
  find(ref: string): string | null
  /** A ref that makes this name impossible: one below it, or one at the path of one of its folders. */
  findConflict(ref: string): string | null
  /** The file without some refs; null when it lists none of them. */
  without(refs: ReadonlySet<string>): Buffer | null
}

/** With more lookups, an index is cheaper than searching the bytes again. */
const searchesMax = 8

export function openPackedRefs(layout: RepositoryLayout): PackedRefs {
  let bytes: Buffer | null | undefined
  let index: PackedIndex | undefined
  let searches = 0

  function read(): Buffer | null {
    if (bytes === undefined) bytes = readOptional(packedRefsPath(layout))
    return bytes
  }

  function indexed(packed: Buffer): PackedIndex | undefined {
    if (index === undefined && ++searches > searchesMax) index = indexOf(packed)
    return index
  }

  return {
    find(ref) {
      const packed = read()
      if (packed === null) return null
      const known = indexed(packed)
      return known === undefined ? findPackedRef(packed, ref) : (known.oids.get(ref) ?? null)
    },
    findConflict(ref) {
      const packed = read()
      if (packed === null) return null
      const names = ref.split('/')
      const parents = names.slice(1, -1).map((_name, at) => names.slice(0, at + 2).join('/'))
      const known = indexed(packed)
      if (known !== undefined) return known.below.get(ref) ?? parents.find((parent) => known.oids.has(parent)) ?? null
      const below = parsePackedRefs(packed, `${ref}/`)[0]
      return below?.ref ?? parents.find((parent) => findPackedRef(packed, parent) !== null) ?? null
    },
    without(refs) {
      const packed = read()
      return packed === null ? null : dropRefs(packed, refs)
    },
  }
}

/** The real path of `packed-refs`: it may be a link to another repository's file, which git locks and replaces. */
export function realPackedRefsPath(layout: RepositoryLayout): string {
  const path = packedRefsPath(layout)
  try {
    return realpathSync(path)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return path
    throw error
  }
}

interface PackedIndex {
  readonly oids: ReadonlyMap<string, string>
  /** One ref per folder. */
  readonly below: ReadonlyMap<string, string>
}

function indexOf(packed: Buffer): PackedIndex {
  const rows = parsePackedRefs(packed, 'refs/')
  const below = new Map<string, string>()
  for (const { ref } of rows) {
    for (let slash = ref.lastIndexOf('/'); slash > 0; slash = ref.lastIndexOf('/', slash - 1)) {
      const folder = ref.slice(0, slash)
      if (below.has(folder)) break
      below.set(folder, ref)
    }
  }
  return { oids: new Map(rows.map(({ ref, oid }) => [ref, oid])), below }
}

/** Leaves every other byte unchanged. A line that starts with `^` belongs to the ref before it. */
function dropRefs(packed: Buffer, refs: ReadonlySet<string>): Buffer | null {
  const kept: Buffer[] = []
  let keptUpTo = 0
  let isDropping = false
  for (let start = 0; start < packed.length; ) {
    const newline = packed.indexOf(0x0a, start)
    const end = newline < 0 ? packed.length : newline + 1
    const isPeeled = packed[start] === 0x5e
    const space = packed.indexOf(0x20, start)
    const isRef = !isPeeled && packed[start] !== 0x23 && space > start && space < end
    const drops: boolean = isPeeled ? isDropping : isRef && refs.has(packed.toString('utf8', space + 1, end).trimEnd())
    if (drops) {
      kept.push(packed.subarray(keptUpTo, start))
      keptUpTo = end
    }
    isDropping = drops
    start = end
  }
  if (kept.length === 0) return null
  return Buffer.concat([...kept, packed.subarray(keptUpTo)])
}

function readOptional(path: string): Buffer | null {
  try {
    return readFileSync(path)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EISDIR'].includes(errnoOf(error) ?? '')) return null
    throw asStorageFailure(error, 'reading a ref')
  }
}
