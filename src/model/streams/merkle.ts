/**
 * The Merkle tree over the entries of a stream (docs/format.md#leaves-and-roots).
 *
 * With n entries there is one peak for each 1 bit of n, from high to low: the root of a perfect subtree of that many
 * leaves. A subtree of size 2^k is aligned when it begins at a multiple of 2^k; all nodes are aligned. Sizes and entry
 * numbers are numbers below 2^53, so bits are taken by division.
 */
import * as crypto from 'node:crypto'
import { StreamFormatError } from './format-error.ts'

export const hashBytes = 32

const leafTag = Uint8Array.of(0)
const nodeTag = Uint8Array.of(1)
const rootTag = Uint8Array.of(2)
const rowTag = Uint8Array.of(4)

/** Input of `hashShort`: the parts of most hashes together. */
const scratch = new Uint8Array(2048)

export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  if (length <= scratch.length && 'hash' in crypto) return hashShort(parts, length)
  const hash = crypto.createHash('sha256')
  for (const part of parts) hash.update(part)
  const digest = hash.digest()
  // Callers expect `slice` to copy, which Node's own byte arrays do not.
  return new Uint8Array(digest.buffer, digest.byteOffset, hashBytes)
}

/** In a third of the time: no hash object, and a digest as text costs less than one as bytes. Since Node 20.12. */
function hashShort(parts: readonly Uint8Array[], length: number): Uint8Array {
  let end = 0
  for (const part of parts) {
    scratch.set(part, end)
    end += part.length
  }
  const digest = new Uint8Array(hashBytes)
  putDigest(digest, 0, scratch.subarray(0, length))
  return digest
}

function putDigest(target: Uint8Array, at: number, input: Uint8Array): void {
  const text = crypto.hash('sha256', input, 'binary')
  for (let index = 0; index < hashBytes; index++) target[at + index] = text.charCodeAt(index)
}

export function leafOfRecord(record: Uint8Array): Uint8Array {
  return sha256(leafTag, record)
}

/** @param sourceRoots - of the parent commits that the row names, in its order */
export function leafOfRow(row: Uint8Array, sourceRoots: readonly Uint8Array[]): Uint8Array {
  return sha256(rowTag, row, ...sourceRoots)
}

export function nodeOf(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(nodeTag, left, right)
}

export function rootOf(lineageDigest: Uint8Array, entries: number, peaks: readonly Uint8Array[]): Uint8Array {
  const count = new Uint8Array(8)
  new DataView(count.buffer).setBigUint64(0, BigInt(entries))
  return sha256(rootTag, lineageDigest, count, ...peaks)
}

/** Number of peaks of a tree: the 1 bits of its number of entries. */
export function peakCount(entries: number): number {
  let count = 0
  for (let rest = entries; rest > 0; rest = Math.floor(rest / 2)) count += rest % 2
  return count
}

/** Sizes of the peaks, from high to low. */
function peakSizes(entries: number): number[] {
  const sizes: number[] = []
  for (let size = 1; size <= entries; size *= 2) if (hasBit(entries, size)) sizes.push(size)
  return sizes.reverse()
}

function hasBit(value: number, bit: number): boolean {
  return Math.floor(value / bit) % 2 === 1
}

/** The peaks of a growing tree. */
export class PeakList {
  #entries: number
  /** From high to low. */
  readonly #peaks: Uint8Array[]

  private constructor(entries: number, peaks: Uint8Array[]) {
    this.#entries = entries
    this.#peaks = peaks
  }

  static empty(): PeakList {
    return new PeakList(0, [])
  }

  /** @throws {StreamFormatError} on a number of peaks that this number of entries does not have */
  static of(entries: number, peaks: readonly Uint8Array[]): PeakList {
    if (peaks.length !== peakCount(entries))
      throw new StreamFormatError(`${entries} entries have ${peakCount(entries)} peaks, not ${peaks.length}`)
    return new PeakList(entries, [...peaks])
  }

  get entries(): number {
    return this.#entries
  }

  get peaks(): readonly Uint8Array[] {
    return [...this.#peaks]
  }

  append(leaf: Uint8Array): void {
    this.appendSubtree(leaf, 1)
  }

  /** Appends a perfect subtree. Its size is a power of two that divides the number of entries. */
  appendSubtree(root: Uint8Array, size: number): void {
    if (this.#entries % size !== 0) throw new RangeError(`a subtree of ${size} cannot begin at entry ${this.#entries}`)
    let peak = root
    let bit = size
    for (; hasBit(this.#entries, bit); bit *= 2) peak = nodeOf(this.#peaks.pop() as Uint8Array, peak)
    this.#peaks.push(peak)
    this.#entries += size
  }
}

/** Sizes of the maximal aligned subtrees of a range of entries, from left to right. */
export function subtreeSizes(firstEntry: number, count: number): number[] {
  const sizes: number[] = []
  let start = firstEntry
  for (let rest = count; rest > 0; ) {
    let size = 1
    while (size * 2 <= rest && start % (size * 2) === 0) size *= 2
    sizes.push(size)
    start += size
    rest -= size
  }
  return sizes
}

/** Roots of the maximal aligned subtrees of a range of entries, from left to right. */
export function subtreesOf(firstEntry: number, leaves: readonly Uint8Array[]): Uint8Array[] {
  const list = new LeafList(leaves.length)
  for (const leaf of leaves) list.add(leaf)
  return list.subtrees(firstEntry)
}

/** The leaves of a commit in one buffer: an array for each would take as long as its hash. */
export class LeafList {
  readonly #bytes: Uint8Array
  #end = 0

  /** @param count - of leaves that it takes at most */
  constructor(count: number) {
    this.#bytes = new Uint8Array(hashBytes * count)
  }

  add(leaf: Uint8Array): void {
    this.#bytes.set(leaf, this.#end)
    this.#end += hashBytes
  }

  addRecord(record: Uint8Array): void {
    const length = 1 + record.length
    if (length > scratch.length || !('hash' in crypto)) {
      this.add(leafOfRecord(record))
      return
    }
    scratch[0] = leafTag[0] as number
    scratch.set(record, 1)
    putDigest(this.#bytes, this.#end, scratch.subarray(0, length))
    this.#end += hashBytes
  }

  /** Roots of the maximal aligned subtrees, from left to right, when the first leaf is this entry. */
  subtrees(firstEntry: number): Uint8Array[] {
    let start = 0
    return subtreeSizes(firstEntry, this.#end / hashBytes).map((size) => {
      const end = start + hashBytes * size
      const root = foldPerfect(this.#bytes.slice(start, end))
      start = end
      return root
    })
  }
}

const nodeInput = new Uint8Array(1 + 2 * hashBytes)

/** The root over leaves, whose number is a power of two. Overwrites them. */
function foldPerfect(level: Uint8Array): Uint8Array {
  for (let width = level.length; width > hashBytes; width /= 2) {
    for (let at = 0; at < width; at += 2 * hashBytes) {
      nodeInput[0] = nodeTag[0] as number
      for (let index = 0; index < 2 * hashBytes; index++) nodeInput[1 + index] = level[at + index] as number
      if ('hash' in crypto) putDigest(level, at / 2, nodeInput)
      else level.set(sha256(nodeInput), at / 2)
    }
  }
  return level.slice(0, hashBytes)
}

/**
 * Appends the entries of one commit by the roots of their subtrees. The peaks are the same as leaf by leaf.
 *
 * @throws {StreamFormatError} if the range does not follow, or does not have this number of subtrees
 */
export function appendSubtrees(
  peaks: PeakList,
  firstEntry: number,
  count: number,
  subtrees: readonly Uint8Array[],
): void {
  if (peaks.entries !== firstEntry)
    throw new StreamFormatError(`the entries begin at ${firstEntry}, after ${peaks.entries} entries`)
  for (const [size, root] of pairSubtrees(firstEntry, count, subtrees)) peaks.appendSubtree(root, size)
}

function pairSubtrees(
  firstEntry: number,
  count: number,
  subtrees: readonly Uint8Array[],
): (readonly [size: number, root: Uint8Array])[] {
  const sizes = subtreeSizes(firstEntry, count)
  if (sizes.length !== subtrees.length)
    throw new StreamFormatError(
      `${count} entries from ${firstEntry} have ${sizes.length} subtrees, not ${subtrees.length}`,
    )
  return sizes.map((size, index) => [size, subtrees[index] as Uint8Array])
}

/** Nodes of a tree that have been read: leaves, subtrees of commits, peaks of manifests. Other nodes follow from them. */
export class KnownNodes {
  /** By size, then by first entry. */
  readonly #nodes = new Map<number, Map<number, Uint8Array>>()

  /** @throws {StreamFormatError} on a wrong number of subtrees */
  addSubtrees(firstEntry: number, count: number, subtrees: readonly Uint8Array[]): void {
    let start = firstEntry
    for (const [size, root] of pairSubtrees(firstEntry, count, subtrees)) {
      this.#add(start, size, root)
      start += size
    }
  }

  /** @throws {StreamFormatError} on a wrong number of peaks */
  addPeaks(entries: number, peaks: readonly Uint8Array[]): void {
    this.addSubtrees(0, entries, peaks)
  }

  addLeaves(firstEntry: number, leaves: readonly Uint8Array[]): void {
    for (const [index, leaf] of leaves.entries()) this.#add(firstEntry + index, 1, leaf)
  }

  #add(start: number, size: number, root: Uint8Array): void {
    const level = this.#nodes.get(size)
    if (level === undefined) this.#nodes.set(size, new Map([[start, root]]))
    else level.set(start, root)
  }

  /** The node over `size` entries from `start`; undefined if it does not follow from what is known. */
  find(start: number, size: number): Uint8Array | undefined {
    const known = this.#nodes.get(size)?.get(start)
    if (known !== undefined || size === 1) return known
    const left = this.find(start, size / 2)
    const right = left === undefined ? undefined : this.find(start + size / 2, size / 2)
    if (left === undefined || right === undefined) return undefined
    const node = nodeOf(left, right)
    this.#add(start, size, node)
    return node
  }
}

/** The range of the peak that an entry is in. */
function peakAround(entry: number, entries: number): { readonly start: number; readonly size: number; index: number } {
  let start = 0
  for (const [index, size] of peakSizes(entries).entries()) {
    if (entry < start + size) return { start, size, index }
    start += size
  }
  throw new RangeError(`entry ${entry} is not among ${entries}`)
}

/**
 * The sibling hashes from a leaf up to its peak.
 *
 * Enough to know: the leaves of the commit with the entry, the peaks before that commit, and the subtrees of the later
 * commits that are in the same peak.
 *
 * @throws {StreamFormatError} naming the first node that does not follow from `known`
 */
export function pathOf(entry: number, entries: number, known: KnownNodes): Uint8Array[] {
  const { size: peakSize } = peakAround(entry, entries)
  const path: Uint8Array[] = []
  for (let size = 1; size < peakSize; size *= 2) {
    const sibling = siblingStart(entry, size)
    const node = known.find(sibling, size)
    if (node === undefined)
      throw new StreamFormatError(`the node of entries ${sibling} to ${sibling + size - 1} is not known`)
    path.push(node)
  }
  return path
}

/** First entry of the sibling of the node with this size around an entry. */
function siblingStart(entry: number, size: number): number {
  const start = entry - (entry % size)
  return hasBit(entry, size) ? start - size : start + size
}

/** Whether the leaf is the entry with this number in the tree with these peaks. */
export function checkPath(
  leaf: Uint8Array,
  entry: number,
  entries: number,
  path: readonly Uint8Array[],
  peaks: readonly Uint8Array[],
): boolean {
  if (!Number.isSafeInteger(entries) || !Number.isSafeInteger(entry)) return false
  if (entry < 0 || entry >= entries || peaks.length !== peakCount(entries)) return false
  const { size: peakSize, index } = peakAround(entry, entries)
  if (2 ** path.length !== peakSize) return false
  let node = leaf
  let size = 1
  for (const sibling of path) {
    node = hasBit(entry, size) ? nodeOf(sibling, node) : nodeOf(node, sibling)
    size *= 2
  }
  return sameBytes(node, peaks[index] as Uint8Array)
}

export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index])
}
