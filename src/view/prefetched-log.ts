import type { GitPort, Oid } from '../git/index.ts'
import { type IssueSegment, type IssueStream, loadBulkHashing, readLog } from '../wal/index.ts'

/** A log that is read from its beginning while something else is prepared. */
export interface PrefetchedLog {
  /** The head that is read; null when there is none, or the ref is unreadable. */
  readonly head: Oid | null
  /** Loads what decodes a long log faster, when git is still walking through it. */
  prepare(): Promise<void>
  /** All segments, once. */
  segments(): AsyncGenerator<readonly IssueSegment[]>
  /** Stops reading. */
  close(): Promise<void>
}

/** Starts git, which takes a while until it answers, and decodes its first answer. */
export async function prefetchLog(git: GitPort, stream: IssueStream): Promise<PrefetchedLog> {
  // A broken ref is reported by its next reader.
  const head = await git.readRef(stream.ref).catch(() => null)
  if (head === null) return { head, async prepare() {}, async *segments() {}, async close() {} }
  const source = readLog(git, stream, { head, mayUseFile: true })
  const first = source.next()
  let hasAnswered = false
  const noteAnswer = () => {
    hasAnswered = true
  }
  first.then(noteAnswer, noteAnswer)
  return {
    head,
    async prepare() {
      if (!hasAnswered) await loadBulkHashing()
    },
    async *segments() {
      const { done, value } = await first
      if (done) return
      yield value
      yield* source
    },
    async close() {
      await source.return(undefined).catch(() => {})
    },
  }
}
