import { limits } from '../../model/index.ts'
import { oidLength } from '../object-codec.ts'
import { type FilePlace, regularMode } from '../pair-entry.ts'
import type { ObjectFormat } from '../port.ts'

/** The longest piece of an export that is scanned for one pair. Larger commits are parsed line by line. Bytes. */
export const pairBytesMax = 128 * 1024

/** A path with more bytes is parsed, and judged, by the general parser. */
const pathBytesMax = 255

const ascii = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0))
const words = {
  blob: ascii('blob\n'),
  mark: ascii('mark :'),
  oid: ascii('original-oid '),
  data: ascii('data '),
  commit: ascii('commit '),
  author: ascii('author '),
  committer: ascii('committer '),
  from: ascii('from :'),
  deleteAll: ascii('deleteall\n'),
  file: ascii(`M ${regularMode} :`),
  newline: ascii('\n'),
}

const nowhere: FilePlace = { oidStart: 0, start: 0, end: 0, pathStart: 0, pathEnd: 0 }

const newline = 0x0a
const space = 0x20
const quote = 0x22
const slash = 0x2f
const letterF = 0x66

/**
 * Finds the most frequent kind of commit in an export, in one pass and without an object for each line:
 *
 *     blob …  blob …  commit <name>
 *     mark, original-oid, author, committer, data
 *     [from :<n>]
 *     deleteall
 *     M 100644 :<first blob> <path>
 *     M 100644 :<second blob> <path>
 *                                a blank line
 */
export class PairScanner {
  // What the last successful scan has found.
  first: FilePlace = nowhere
  second: FilePlace = nowhere
  firstMark = 0
  secondMark = 0
  mark = 0
  oidStart = 0
  /** 0 without a parent. */
  parentMark = 0
  committerEnd = 0
  messageStart = 0
  messageEnd = 0
  /** The position after the commit. */
  end = 0
  readonly #oidLength: number
  #bytes: Buffer = Buffer.alloc(0)
  #at = 0
  #isCut = false

  constructor(format: ObjectFormat) {
    this.#oidLength = oidLength[format]
  }

  /** Whether the last scan failed only because the bytes ended. */
  get isCut(): boolean {
    return this.#isCut
  }

  /** False when another kind of commit begins here, or when the bytes end before it does. */
  scan(bytes: Buffer, start: number): boolean {
    this.#bytes = bytes
    this.#at = start
    const isPair = this.#readsBlobs() && this.#readsCommit()
    this.#isCut = !isPair && this.#at > bytes.length
    this.end = this.#at
    return isPair
  }

  #readsBlobs(): boolean {
    this.firstMark = this.#blobMark()
    const first = this.#content(this.firstMark)
    if (first === null) return false
    this.secondMark = this.#blobMark()
    const second = this.#content(this.secondMark)
    if (second === null) return false
    this.first = first
    this.second = second
    return true
  }

  #readsCommit(): boolean {
    if (!this.#takes(words.commit)) return false
    this.#lineEnd()
    this.mark = this.#takes(words.mark) ? this.#number(newline) : -1
    this.oidStart = this.#oidStart()
    if (this.mark < 0 || this.oidStart < 0 || !this.#takes(words.author)) return false
    this.#lineEnd()
    if (!this.#takes(words.committer)) return false
    this.committerEnd = this.#lineEnd()
    const messageBytes = this.#takes(words.data) ? this.#number(newline) : -1
    if (messageBytes < 0) return false
    this.messageStart = this.#at
    this.messageEnd = this.messageStart + messageBytes
    this.#at = this.messageEnd
    this.parentMark = 0
    if (this.#bytes[this.#at] === letterF) this.parentMark = this.#takes(words.from) ? this.#number(newline) : -1
    return (
      this.parentMark >= 0 &&
      this.#takes(words.deleteAll) &&
      this.#path(this.first, this.firstMark) &&
      this.#path(this.second, this.secondMark) &&
      this.#takes(words.newline)
    )
  }

  #blobMark(): number {
    return this.#takes(words.blob) && this.#takes(words.mark) ? this.#number(newline) : -1
  }

  #content(mark: number): FilePlace | null {
    const oidStart = mark < 0 ? -1 : this.#oidStart()
    const size = oidStart >= 0 && this.#takes(words.data) ? this.#number(newline) : -1
    if (size < 0 || size > pairBytesMax) return null
    const start = this.#at
    const end = start + size
    this.#at = end
    return this.#takes(words.newline) ? { oidStart, start, end, pathStart: 0, pathEnd: 0 } : null
  }

  #oidStart(): number {
    if (!this.#takes(words.oid)) return -1
    const start = this.#at
    this.#at = start + this.#oidLength
    return this.#takes(words.newline) ? start : -1
  }

  /** Notes the path of a blob, if the next line gives it one that may be shown as it is. */
  #path(place: FilePlace, mark: number): boolean {
    if (!this.#takes(words.file) || this.#number(space) !== mark) return false
    const bytes = this.#bytes
    const start = this.#at
    let end = start
    let folders = 0
    for (let byte = bytes[end]; byte !== newline; byte = bytes[++end]) {
      if (end >= bytes.length) {
        this.#at = bytes.length + 1
        return false
      }
      if (byte === slash) folders += 1
    }
    this.#at = end + 1
    if (end - start > pathBytesMax || bytes[start] === quote) return false
    place.pathStart = start
    place.pathEnd = end
    return folders <= limits.commitDepthMax
  }

  /** Whether these bytes are next; then the position is after them. */
  #takes(word: Uint8Array): boolean {
    const bytes = this.#bytes
    const start = this.#at
    for (let index = 0; index < word.length; index++) {
      if (bytes[start + index] === word[index]) continue
      // Beyond the end the rest is unknown.
      if (start + index >= bytes.length) this.#at = bytes.length + 1
      return false
    }
    this.#at = start + word.length
    return true
  }

  /** The decimal number before `end`; the position is then after it. -1 for anything else. */
  #number(end: number): number {
    const bytes = this.#bytes
    let value = 0
    let at = this.#at
    for (; at < bytes.length; at++) {
      const byte = bytes[at] as number
      if (byte === end) {
        this.#at = at + 1
        return value
      }
      const digit = byte - 0x30
      if (digit < 0 || digit > 9 || value > limits.commitContentBytesMax) return -1
      value = value * 10 + digit
    }
    this.#at = bytes.length + 1
    return -1
  }

  /** The end of the line; the position is then after it. */
  #lineEnd(): number {
    const found = this.#bytes.indexOf(newline, this.#at)
    const end = found < 0 ? this.#bytes.length : found
    this.#at = end + 1
    return end
  }
}
