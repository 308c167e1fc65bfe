import { type Dirent, readdirSync, readFileSync } from 'node:fs'
import { CorruptObjectError } from '../../model/errors/index.ts'
import { asStorageFailure, errnoOf } from '../durable/storage-failure.ts'
import { isOid } from '../object-codec.ts'
import type { Oid, RefName, RepositoryLayout } from '../port.ts'
import { findPackedRef, looseRefPath, packedRefsPath, parsePackedRefs } from '../ref-paths.ts'

/** Reads a ref from its file, else from packed-refs. Null when it is in neither. */
export function readRefFile(layout: RepositoryLayout, ref: RefName): Oid | null {
  const loose = readOptional(looseRefPath(layout, ref))
  if (loose !== null) return requireOid(layout, ref, loose.toString('latin1').replace(/\s+$/, ''))
  const packed = readOptional(packedRefsPath(layout))
  const found = packed && findPackedRef(packed, ref)
  return found ? requireOid(layout, ref, found) : null
}

/** True when packed-refs has the ref, whatever its file says. */
export function isPackedRef(layout: RepositoryLayout, ref: RefName): boolean {
  const packed = readOptional(packedRefsPath(layout))
  return packed !== null && findPackedRef(packed, ref) !== null
}

/** A ref that makes this name impossible (a folder of its name, or a ref in the place of one of its folders). */
export function findConflictingRef(layout: RepositoryLayout, ref: RefName): string | null {
  const packed = readOptional(packedRefsPath(layout))
  if (packed === null) return null
  const below = parsePackedRefs(packed, `${ref}/`)[0]
  if (below) return below.ref
  const names = ref.split('/')
  const parents = names.slice(1, -1).map((_name, index) => names.slice(0, index + 2).join('/'))
  return parents.find((parent) => findPackedRef(packed, parent) !== null) ?? null
}

/** Refs below a prefix that ends in `/`, by name. Locks and unfinished files of other writers are left out. */
export function listRefFiles(layout: RepositoryLayout, prefix: string): readonly { ref: RefName; oid: Oid }[] {
  // Loose first: pack-refs writes the packed file before it removes a loose one, so nothing is missed in between.
  const loose = new Set<string>()
  collectNames(layout, prefix.replace(/\/$/, ''), loose)
  const packed = readOptional(packedRefsPath(layout))
  for (const { ref } of packed ? parsePackedRefs(packed, prefix) : []) loose.add(ref)
  const rows: { ref: RefName; oid: Oid }[] = []
  for (const name of [...loose].sort()) {
    const ref = name as RefName
    const oid = readRefFile(layout, ref)
    if (oid !== null) rows.push({ ref, oid })
  }
  return rows
}

function collectNames(layout: RepositoryLayout, folder: string, names: Set<string>): void {
  let entries: Dirent[]
  try {
    entries = readdirSync(looseRefPath(layout, folder), { withFileTypes: true })
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')) return
    throw asStorageFailure(error, 'listing refs')
  }
  for (const entry of entries) {
    const name = `${folder}/${entry.name}`
    if (entry.isDirectory()) collectNames(layout, name, names)
    else if (!entry.name.endsWith('.lock')) names.add(name)
  }
}

function readOptional(path: string): Buffer | null {
  try {
    return readFileSync(path)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EISDIR'].includes(errnoOf(error) ?? '')) return null
    throw asStorageFailure(error, 'reading a ref')
  }
}

function requireOid(layout: RepositoryLayout, ref: string, text: string): Oid {
  if (isOid(text, layout.objectFormat)) return text
  const what = text.startsWith('ref:') ? 'is a symbolic ref' : 'does not hold an object id'
  throw new CorruptObjectError(`${ref} ${what}`, { details: { ref } })
}
