import { closeSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'
import type { Oid, RepositoryLayout } from '../port.ts'
import { packDir } from '../ref-paths.ts'

/** With more packs, looking an object up costs more than writing it again. */
const packsConsultedMax = 16

/**
 * Finds the pack that holds an object, from the indexes alone.
 *
 * @returns the path of the `.pack` file; null when no pack holds it, or there are too many packs to check
 */
export function findPackOf(layout: RepositoryLayout, oid: Oid): string | null {
  return createPackLookup(layout)(oid)
}

/** Like `findPackOf`, for many objects: lists the packs once, on the first lookup. */
export function createPackLookup(layout: RepositoryLayout): (oid: Oid) => string | null {
  let indexes: readonly string[] | undefined
  return (oid) => {
    indexes ??= listPackIndexes(layout)
    return findIn(indexes, oid)?.pack ?? null
  }
}

/** The place of an object in a pack. */
export interface PackPosition {
  /** Path of the `.pack` file. */
  readonly pack: string
  /** Byte position of the object's entry there; null for a pack of 2 GiB or more. */
  readonly offset: number | null
}

/** Like `findPackOf`, with the position in the pack. */
export function findInPacks(layout: RepositoryLayout, oid: Oid): PackPosition | null {
  return findIn(listPackIndexes(layout), oid)
}

function findIn(indexes: readonly string[], oid: Oid): PackPosition | null {
  if (indexes.length > packsConsultedMax) return null
  const id = Buffer.from(oid, 'hex')
  for (const path of indexes) {
    const found = lookUp(path, id)
    if (found !== null) return { pack: path.replace(/idx$/, 'pack'), ...found }
  }
  return null
}

function listPackIndexes(layout: RepositoryLayout): readonly string[] {
  const folder = packDir(layout)
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.idx'))
      .map((name) => join(folder, name))
  } catch {
    return []
  }
}

/**
 * Index version 2 (gitformat-pack(5)): "\377tOc" ‖ u32 2 ‖ 256 × u32 count of ids up to this first byte ‖ sorted ids ‖
 * u32 checksum of each ‖ u32 offset of each, with the top bit set for a row of the next table ‖ … An index of another
 * version, or a vanished one, counts as empty.
 */
function lookUp(path: string, id: Buffer): Pick<PackPosition, 'offset'> | null {
  let descriptor: number
  try {
    descriptor = openSync(path, 'r')
  } catch {
    return null
  }
  try {
    const head = readAt(descriptor, 0, idsStart)
    if (head.length < idsStart || head.readUInt32BE(0) !== 0xff744f63 || head.readUInt32BE(4) !== 2) return null
    const first = id[0] as number
    const from = first === 0 ? 0 : head.readUInt32BE(8 + 4 * (first - 1))
    const to = head.readUInt32BE(8 + 4 * first)
    const ids = readAt(descriptor, idsStart + from * id.length, (to - from) * id.length)
    const row = findRow(ids, id)
    if (row === null) return null
    const count = head.readUInt32BE(8 + 4 * 255)
    const offset = readAt(descriptor, idsStart + count * (id.length + 4) + 4 * (from + row), 4)
    const isNear = offset.length === 4 && (offset[0] as number) < 0x80
    return { offset: isNear ? offset.readUInt32BE(0) : null }
  } finally {
    closeSync(descriptor)
  }
}

/** Position of the first id: behind the signature, the version and the counts. */
const idsStart = 8 + 4 * 256

function readAt(descriptor: number, position: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  return bytes.subarray(0, readSync(descriptor, bytes, 0, length, position))
}

function findRow(ids: Buffer, id: Buffer): number | null {
  let low = 0
  let high = Math.floor(ids.length / id.length)
  while (low < high) {
    const middle = (low + high) >>> 1
    const order = ids.compare(id, 0, id.length, middle * id.length, (middle + 1) * id.length)
    if (order === 0) return middle
    if (order < 0) low = middle + 1
    else high = middle
  }
  return null
}
