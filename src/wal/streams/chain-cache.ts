/**
 * The cache file of one generation's chain: which of its commits hold which offsets, so that an old record is found
 * without a walk over all that came after it. Commits never change, so an old file is never wrong; readers of a segment
 * compare what the file says with its manifest. Replaced by rename; deletable; a damaged one is ignored.
 *
 *     "GC" ‖ u8 version ‖ u8 bytes of an id ‖ incarnation, 8 bytes ‖ id of the commit before the first row
 *     rows, oldest first: id ‖ u64 first offset ‖ u64 end ‖ u8 kind
 *     u32 CRC-32C of all before
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Oid, randomBytes, type SharedPermissions } from '../../git/index.ts'
import type { Incarnation } from '../../model/streams/index.ts'
import { type Crc32c, loadCrc } from './crc32c.ts'

export interface ChainPlace {
  /** Beside the journals. */
  readonly folder: string
  readonly permissions: SharedPermissions
}

export interface ChainName {
  /** `enc(stream id)` */
  readonly encodedId: string
  readonly generation: number
  readonly incarnation: Incarnation
}

/** `empty`: it adds no record. `unusual`: only its manifest tells. */
export type ChainKind = 'segment' | 'empty' | 'unusual'

const kinds: readonly ChainKind[] = ['segment', 'empty', 'unusual']

export interface ChainRow {
  readonly commit: Oid
  readonly firstOffset: number
  /** After the last record. */
  readonly end: number
  readonly kind: ChainKind
}

const magic = 'GC'
const version = 1
const incarnationBytes = 8
const headBytes = 4 + incarnationBytes
const factBytes = 8 + 8 + 1
const crcBytes = 4
/** Enough for 7 million commits. */
const fileBytesMax = 256 * 1024 * 1024

/** Rows of commits that follow each other by first parents, read from a file. */
export class KnownChain {
  readonly #bytes: Buffer
  readonly #idBytes: number

  constructor(bytes: Buffer, idBytes: number) {
    this.#bytes = bytes
    this.#idBytes = idBytes
  }

  get count(): number {
    return Math.floor((this.#bytes.length - this.#rowsStart - crcBytes) / this.#rowBytes)
  }

  /** The first parent of the oldest row. */
  get before(): Oid {
    return this.#bytes.hexSlice(headBytes, this.#rowsStart) as Oid
  }

  /** @param index - 0 is the oldest */
  row(index: number): ChainRow {
    const at = this.#rowsStart + index * this.#rowBytes
    const facts = at + this.#idBytes
    return {
      commit: this.commitAt(index),
      firstOffset: Number(this.#bytes.readBigUInt64BE(facts)),
      end: Number(this.#bytes.readBigUInt64BE(facts + 8)),
      kind: kinds[this.#bytes[facts + 16] as number] ?? 'unusual',
    }
  }

  commitAt(index: number): Oid {
    const at = this.#rowsStart + index * this.#rowBytes
    return this.#bytes.hexSlice(at, at + this.#idBytes) as Oid
  }

  /** Index of a commit; -1 for an unknown one. */
  indexOf(commit: Oid): number {
    const id = Buffer.from(commit, 'hex')
    for (let at = this.#bytes.indexOf(id, this.#rowsStart); at !== -1; at = this.#bytes.indexOf(id, at + 1)) {
      const index = (at - this.#rowsStart) / this.#rowBytes
      if (Number.isInteger(index) && index < this.count) return index
    }
    return -1
  }

  /** The bytes of the rows up to and including one. */
  rowBytesUpTo(index: number): Uint8Array {
    return this.#bytes.subarray(this.#rowsStart, this.#rowsStart + (index + 1) * this.#rowBytes)
  }

  get #rowsStart(): number {
    return headBytes + this.#idBytes
  }

  get #rowBytes(): number {
    return this.#idBytes + factBytes
  }
}

function pathOf({ folder }: ChainPlace, { encodedId, generation }: Omit<ChainName, 'incarnation'>): string {
  return join(folder, `${encodedId}.${generation}.chain`)
}

/** Null without a file, or with one that is damaged or of another incarnation. */
export async function readKnownChain(place: ChainPlace, name: ChainName, idBytes: number): Promise<KnownChain | null> {
  let bytes: Buffer
  try {
    bytes = readFileSync(pathOf(place, name))
  } catch {
    return null
  }
  const rowsBytes = bytes.length - headBytes - idBytes - crcBytes
  const fits = rowsBytes >= 0 && rowsBytes % (idBytes + factBytes) === 0 && bytes.length <= fileBytesMax
  if (!fits || !headOf(name, idBytes).equals(bytes.subarray(0, headBytes))) return null
  const crc32c = await loadCrc()
  const body = bytes.subarray(0, -crcBytes)
  return crc32c(body) === bytes.readUInt32BE(body.length) ? new KnownChain(bytes, idBytes) : null
}

function headOf({ incarnation }: ChainName, idBytes: number): Buffer {
  return Buffer.concat([Buffer.from(magic), Uint8Array.of(version, idBytes), Buffer.from(incarnation, 'hex')])
}

export interface ChainToWrite {
  readonly before: Oid
  /** Newest first, as they were walked. */
  readonly newer: readonly ChainRow[]
  /** Between them, as a file has them. */
  readonly known: Uint8Array
  readonly older: readonly ChainRow[]
}

/** Never throws: without the file, the next reader walks. */
export async function writeKnownChain(
  place: ChainPlace,
  name: ChainName,
  { before, newer, known, older }: ChainToWrite,
): Promise<void> {
  const path = pathOf(place, name)
  const draft = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    const idBytes = before.length / 2
    const head = [headOf(name, idBytes), Buffer.from(before, 'hex')]
    const body = Buffer.concat([...head, encodeRows(older, idBytes), known, encodeRows(newer, idBytes)])
    if (body.length + crcBytes > fileBytesMax) return
    writeFileSync(draft, Buffer.concat([body, crcOf(await loadCrc(), body)]), { flag: 'wx' })
    place.permissions.adjust(draft)
    renameSync(draft, path)
  } catch {
    rmSync(draft, { force: true })
  }
}

/** For a generation that is gone. */
export function removeKnownChain(place: Pick<ChainPlace, 'folder'>, name: Omit<ChainName, 'incarnation'>): void {
  rmSync(pathOf(place as ChainPlace, name), { force: true })
}

function encodeRows(newestFirst: readonly ChainRow[], idBytes: number): Buffer {
  const bytes = Buffer.allocUnsafe(newestFirst.length * (idBytes + factBytes))
  let at = 0
  for (const { commit, firstOffset, end, kind } of newestFirst.toReversed()) {
    at += bytes.write(commit, at, 'hex')
    at = bytes.writeBigUInt64BE(BigInt(firstOffset), at)
    at = bytes.writeBigUInt64BE(BigInt(end), at)
    at = bytes.writeUInt8(kinds.indexOf(kind), at)
  }
  return bytes
}

function crcOf(crc32c: Crc32c, body: Uint8Array): Buffer {
  const bytes = Buffer.alloc(crcBytes)
  bytes.writeUInt32BE(crc32c(body))
  return bytes
}
