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
    if (indexes.length > packsConsultedMax) return null
    const found = indexes.find((path) => indexHolds(path, Buffer.from(oid, 'hex')))
    return found === undefined ? null : found.replace(/idx$/, 'pack')
  }
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
 * … An index of another version, or a vanished one, counts as empty.
 */
function indexHolds(path: string, id: Buffer): boolean {
  let descriptor: number
  try {
    descriptor = openSync(path, 'r')
  } catch {
    return false
  }
  try {
    const head = readAt(descriptor, 0, 8 + 1024)
    if (head.length < 1032 || head.readUInt32BE(0) !== 0xff744f63 || head.readUInt32BE(4) !== 2) return false
    const first = id[0] as number
    const from = first === 0 ? 0 : head.readUInt32BE(8 + 4 * (first - 1))
    const to = head.readUInt32BE(8 + 4 * first)
    const ids = readAt(descriptor, 1032 + from * id.length, (to - from) * id.length)
    return holdsRow(ids, id)
  } finally {
    closeSync(descriptor)
  }
}

function readAt(descriptor: number, position: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  return bytes.subarray(0, readSync(descriptor, bytes, 0, length, position))
}

function holdsRow(ids: Buffer, id: Buffer): boolean {
  let low = 0
  let high = Math.floor(ids.length / id.length)
  while (low < high) {
    const middle = (low + high) >>> 1
    const order = ids.compare(id, 0, id.length, middle * id.length, (middle + 1) * id.length)
    if (order === 0) return true
    if (order < 0) low = middle + 1
    else high = middle
  }
  return false
}
