import type { CommitEntry, CommitFile, HistoryGap, Oid } from './port.ts'

/** Where a file, and what names it, are in the buffer of an entry. */
export interface FilePlace {
  readonly oidStart: number
  readonly start: number
  readonly end: number
  pathStart: number
  pathEnd: number
}

export interface PairFacts {
  readonly oid: Oid
  readonly parents: readonly Oid[]
  /** In the order of their paths. */
  readonly first: FilePlace
  readonly second: FilePlace
  /** End of the `committer` line. */
  readonly committerEnd: number
  readonly messageStart: number
  readonly messageEnd: number
}

const noGaps: readonly HistoryGap[] = []

/**
 * A commit whose tree has just two regular files, as nearly every commit of a log. It has no objects for them: those in
 * `files` are made when somebody asks.
 */
export class PairEntry implements CommitEntry {
  readonly oid: Oid
  readonly parents: readonly Oid[]
  readonly problem = null
  readonly gaps = noGaps
  /** Holds both files, among others; never changed. */
  readonly bytes: Buffer
  readonly first: FilePlace
  readonly second: FilePlace
  readonly #committerEnd: number
  readonly #messageStart: number
  readonly #messageEnd: number

  constructor(bytes: Buffer, { oid, parents, first, second, committerEnd, messageStart, messageEnd }: PairFacts) {
    this.oid = oid
    this.parents = parents
    this.bytes = bytes
    this.first = first
    this.second = second
    this.#committerEnd = committerEnd
    this.#messageStart = messageStart
    this.#messageEnd = messageEnd
  }

  get committedAtUnixSeconds(): number {
    return readSeconds(this.bytes, this.#committerEnd)
  }

  get message(): string {
    return this.bytes.utf8Slice(this.#messageStart, this.#messageEnd)
  }

  get files(): readonly CommitFile[] {
    return [this.#fileAt(this.first), this.#fileAt(this.second)]
  }

  get contentBytes(): number {
    return this.first.end - this.first.start + this.second.end - this.second.start
  }

  #fileAt({ oidStart, start, end, pathStart, pathEnd }: FilePlace): CommitFile {
    const { bytes } = this
    return {
      path: bytes.utf8Slice(pathStart, pathEnd),
      mode: regularMode,
      oid: bytes.latin1Slice(oidStart, oidStart + this.oid.length) as Oid,
      content: bytes.subarray(start, end),
      problem: null,
    }
  }
}

/** The mode of both files. */
export const regularMode = '100644'

/** Bytes of all contents in an entry. */
export function contentBytesOf(entry: CommitEntry): number {
  if (entry instanceof PairEntry) return entry.contentBytes
  return entry.files.reduce((sum, { content }) => sum + (content?.byteLength ?? 0), 0)
}

/** The time in a line `committer … <seconds> <zone>`; 0 when it is no time. */
export function readSeconds(bytes: Buffer, lineEnd: number): number {
  const zone = bytes.lastIndexOf(space, lineEnd - 1)
  const start = bytes.lastIndexOf(space, zone - 1) + 1
  let seconds = 0
  for (let at = start; at < zone; at++) seconds = seconds * 10 + ((bytes[at] as number) - 0x30)
  return Number.isSafeInteger(seconds) && seconds >= 0 ? seconds : 0
}

const space = 0x20
