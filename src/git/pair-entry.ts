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
  readonly committedAtUnixSeconds: number
  readonly messageStart: number
  readonly messageEnd: number
}

const noGaps: readonly HistoryGap[] = []

/**
 * A commit whose tree has just two regular files, as nearly every commit of a log. It has no objects for them: those in
 * `files` are made when somebody asks.
 */
export class PairEntry implements CommitEntry {
  /** Holds both files, among others; never changed. */
  readonly bytes: Buffer
  /** In the order of their paths. */
  readonly first: FilePlace
  readonly second: FilePlace
  readonly #facts: PairFacts

  constructor(bytes: Buffer, first: FilePlace, second: FilePlace, facts: PairFacts) {
    this.bytes = bytes
    this.first = first
    this.second = second
    this.#facts = facts
  }

  get oid(): Oid {
    return this.#facts.oid
  }

  get parents(): readonly Oid[] {
    return this.#facts.parents
  }

  get committedAtUnixSeconds(): number {
    return this.#facts.committedAtUnixSeconds
  }

  get message(): string {
    return this.bytes.utf8Slice(this.#facts.messageStart, this.#facts.messageEnd)
  }

  get files(): readonly CommitFile[] {
    return [this.#fileAt(this.first), this.#fileAt(this.second)]
  }

  get problem(): null {
    return null
  }

  get gaps(): readonly HistoryGap[] {
    return noGaps
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
