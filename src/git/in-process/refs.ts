import { type Dirent, readdirSync, readFileSync } from 'node:fs'
import { CorruptObjectError } from '../../model/errors/index.ts'
import { asStorageFailure, errnoOf } from '../durable/storage-failure.ts'
import { isOid } from '../oid.ts'
import { openPackedRefs, type PackedRefs } from '../packed-refs.ts'
import type { Oid, OnBrokenRef, RefName, RepositoryLayout } from '../port.ts'
import { findPackedRef, looseRefPath, packedRefsPath, parsePackedRefs } from '../ref-paths.ts'

/** Reads a ref from its file, else from packed-refs. Null when neither has it. */
export function readRefFile(layout: RepositoryLayout, ref: RefName): Oid | null {
  const text = readLooseRef(layout, ref) ?? readPackedRef(layout, ref)
  if (text === null || isOid(text, layout.objectFormat)) return text
  return refuseBrokenRef(ref, whyNoOid(text))
}

/** The content of a ref's file, even if it is not an id. */
function readLooseRef(layout: RepositoryLayout, ref: RefName): string | null {
  return readOptional(looseRefPath(layout, ref), 'utf8')?.trimEnd() ?? null
}

function readPackedRef(layout: RepositoryLayout, ref: RefName): string | null {
  const packed = readOptional(packedRefsPath(layout))
  return packed === null ? null : findPackedRef(packed, ref)
}

function whyNoOid(text: string): string {
  return text.startsWith('ref:') ? 'is a symbolic ref' : 'does not hold an object id'
}

/** Like `readRefFile`, for several refs: reads `packed-refs` once, after all the files. */
export function readRefFiles(
  layout: RepositoryLayout,
  refs: readonly RefName[],
  packed: PackedRefs = openPackedRefs(layout),
): ReadonlyMap<RefName, Oid | null> {
  const texts = refs.map((ref) => [ref, readLooseRef(layout, ref)] as const)
  return new Map(
    texts.map(([ref, loose]) => {
      const text = loose ?? packed.find(ref)
      if (text === null || isOid(text, layout.objectFormat)) return [ref, text]
      return refuseBrokenRef(ref, whyNoOid(text))
    }),
  )
}

/** Refs below prefixes that end in `/`, by name. Skips locks and unfinished files of other writers. */
export function listRefFiles(
  layout: RepositoryLayout,
  prefixes: readonly string[],
  onBroken: OnBrokenRef = refuseBrokenRef,
): readonly { ref: RefName; oid: Oid }[] {
  // Loose first: pack-refs writes the packed file before it removes a loose one, so no ref is missed in between.
  const loose = new Set<string>()
  for (const prefix of prefixes) collectNames(layout, prefix.replace(/\/$/, ''), loose)
  const file = readOptional(packedRefsPath(layout))
  const packedRows = prefixes.flatMap((prefix) => (file ? parsePackedRefs(file, prefix) : []))
  const packed = new Map(packedRows.map(({ ref, oid }) => [ref, oid]))
  const rows: { ref: RefName; oid: Oid }[] = []
  for (const name of [...new Set([...loose, ...packed.keys()])].sort()) {
    const ref = name as RefName
    // A loose ref may have been packed since: then the packed file that was read is too old.
    const text = loose.has(ref) ? (readLooseRef(layout, ref) ?? readPackedRef(layout, ref)) : packed.get(ref)
    if (text === null || text === undefined) continue
    if (isOid(text, layout.objectFormat)) rows.push({ ref, oid: text })
    else onBroken(ref, whyNoOid(text))
  }
  return rows
}

/** @throws {CorruptObjectError} always */
export function refuseBrokenRef(ref: RefName, reason: string): never {
  throw new CorruptObjectError(`${ref} ${reason}`, {
    details: { ref },
    hints: ['Run `grite doctor` to see how to fix it'],
  })
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

function readOptional(path: string): Buffer | null
function readOptional(path: string, encoding: 'utf8'): string | null
function readOptional(path: string, encoding?: 'utf8'): Buffer | string | null {
  try {
    // As text, Node reads a file in one call: half the time for ten thousand refs.
    return readFileSync(path, encoding)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EISDIR'].includes(errnoOf(error) ?? '')) return null
    throw asStorageFailure(error, 'reading a ref')
  }
}
