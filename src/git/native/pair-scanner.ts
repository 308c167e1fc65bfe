import { limits } from '../../model/index.ts'
import { oidLength } from '../oid.ts'
import { type FilePlace, regularMode } from '../pair-entry.ts'
import type { ObjectFormat } from '../port.ts'

/** The longest piece of an export that is scanned for one pair. Larger commits are parsed line by line. Bytes. */
export const pairBytesMax = 128 * 1024

/** A path with more bytes is parsed, and judged, by the general parser. */
const pathBytesMax = 255

/** At least as many bytes as a pattern matches, or as a usual commit has there. */
const windows = { blob: 128, head: 512, tail: 2 * pathBytesMax + 128 }

/** A regular expression whose groups are known. */
interface Pattern<Groups> {
  exec(text: string): Groups | null
}

interface Patterns {
  readonly blob: Pattern<readonly [whole: string, mark: string, size: string]>
  readonly head: Pattern<readonly [whole: string, mark: string, lines: string, messageBytes: string]>
  readonly tail: Pattern<
    readonly [
      whole: string,
      parentMark: string | undefined,
      firstMark: string,
      firstPath: string,
      secondMark: string,
      secondPath: string,
    ]
  >
}

function makePatterns(format: ObjectFormat): Patterns {
  const number = '(\\d{1,9})'
  const oid = `original-oid [0-9a-f]{${oidLength[format]}}\n`
  // Not quoted, and not too deep.
  const path = `(?!")((?:[^/\n]*/){0,${limits.commitDepthMax}}[^/\n]*)`
  const file = `M ${regularMode} :${number} ${path}\n`
  const lines = `${oid}author [^\n]*\ncommitter [^\n]*\n`
  const compile = <Groups>(text: string) => new RegExp(`^${text}`) as unknown as Pattern<Groups>
  return {
    blob: compile(`blob\nmark :${number}\n${oid}data ${number}\n`),
    head: compile(`commit [^\n]*\nmark :${number}\n(${lines})data ${number}\n`),
    tail: compile(`(?:from :${number}\n)?deleteall\n${file}${file}\n`),
  }
}

const nowhere: FilePlace = { oidStart: 0, start: 0, end: 0, pathStart: 0, pathEnd: 0 }

const newline = 0x0a
const beforeMark = 'blob\nmark :'.length
const beforeOid = '\noriginal-oid '.length
const beforePath = `M ${regularMode} : `.length
const beforeMessage = 'data \n'.length
const afterOidLine = 'original-oid '.length

/**
 * Finds the most frequent kind of commit in an export, and without an object for each line:
 *
 *     blob …  blob …  commit <name>
 *     mark, original-oid, author, committer, data
 *     [from :<n>]
 *     deleteall
 *     M 100644 :<first blob> <path>
 *     M 100644 :<second blob> <path>
 *                                a blank line
 *
 * By patterns, because V8 has machine code for them at once, and for our own loops only after thousands of commits.
 */
export class PairScanner {
  // What the last successful scan has found.
  first: FilePlace = nowhere
  second: FilePlace = nowhere
  mark = 0
  oidStart = 0
  /** 0 without a parent. */
  parentMark = 0
  committerEnd = 0
  messageStart = 0
  messageEnd = 0
  /** The position after the commit. */
  end = 0
  /** Whether the last scan may have failed only because the bytes ended. */
  isCut = false
  readonly #patterns: Patterns
  #firstMark = ''
  #blobMark = ''

  constructor(format: ObjectFormat) {
    this.#patterns = makePatterns(format)
  }

  /** False when another kind of commit begins here, or when the bytes end before it does. */
  scan(bytes: Buffer, start: number): boolean {
    this.isCut = false
    return this.#scansBlobs(bytes, start) && this.#scansCommit(bytes, this.second.end + 1)
  }

  #scansBlobs(bytes: Buffer, start: number): boolean {
    const first = this.#blob(bytes, start)
    if (first === null) return false
    this.#firstMark = this.#blobMark
    const second = this.#blob(bytes, first.end + 1)
    if (second === null) return false
    this.first = first
    this.second = second
    return true
  }

  #blob(bytes: Buffer, at: number): FilePlace | null {
    const found = this.#match(this.#patterns.blob, bytes, at, windows.blob)
    if (found === null) return null
    const [{ length }, mark, size] = found
    const start = at + length
    const end = start + Number(size)
    if (end - start > pairBytesMax) return null
    if (bytes[end] !== newline) {
      this.isCut = end >= bytes.length
      return null
    }
    this.#blobMark = mark
    return { oidStart: at + beforeMark + mark.length + beforeOid, start, end, pathStart: 0, pathEnd: 0 }
  }

  #scansCommit(bytes: Buffer, start: number): boolean {
    const head = this.#match(this.#patterns.head, bytes, start, windows.head)
    if (head === null) return false
    const [headText, mark, lines, messageBytes] = head
    this.messageStart = start + headText.length
    this.messageEnd = this.messageStart + Number(messageBytes)
    const tail = this.#match(this.#patterns.tail, bytes, this.messageEnd, windows.tail)
    if (tail === null) return false
    const [{ length }, parentMark, firstMark, firstPath, secondMark, secondPath] = tail
    if (firstMark !== this.#firstMark || secondMark !== this.#blobMark) return false
    if (firstPath.length > pathBytesMax || secondPath.length > pathBytesMax) return false
    this.mark = Number(mark)
    this.parentMark = Number(parentMark ?? 0)
    this.committerEnd = this.messageStart - beforeMessage - messageBytes.length - 1
    this.oidStart = this.committerEnd + 1 - lines.length + afterOidLine
    this.end = this.messageEnd + length
    this.second.pathEnd = this.end - 2
    this.second.pathStart = this.second.pathEnd - secondPath.length
    this.first.pathEnd = this.second.pathStart - beforePath - secondMark.length - 1
    this.first.pathStart = this.first.pathEnd - firstPath.length
    return true
  }

  #match<Groups>(pattern: Pattern<Groups>, bytes: Buffer, at: number, window: number): Groups | null {
    const end = Math.min(at + window, bytes.length)
    const found = at > end ? null : pattern.exec(bytes.latin1Slice(at, end))
    this.isCut = found === null && at + window > bytes.length
    return found
  }
}
