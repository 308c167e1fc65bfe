import type { Oid } from '../git/index.ts'
import { GapTally, type IssueSegment, type LogProblem } from '../wal/index.ts'
import type { View } from './view.ts'

/** Limits of one atomic batch: events, and bytes of their records. */
const applyEventsMax = 1024
const applyBytesMax = 8 * 1024 * 1024

export interface FillOptions {
  readonly head: Oid
  /** The segments that the view lacks, parents before children, ending with that of `head`. */
  readonly source: AsyncIterable<readonly IssueSegment[]>
  /** See `View.apply`. */
  readonly how?: 'extension' | 'join'
  readonly report: (problem: LogProblem) => void
  /** Commits read so far. */
  readonly progress?: (commitsDone: number) => void
}

/** Streams a log's segments into a view, in batches that bound memory. Returns the number of new events. */
export async function fillView(
  view: View,
  { head, source, how, report, progress }: FillOptions,
): Promise<{ readonly commits: number; readonly events: number }> {
  let waiting: IssueSegment[] = []
  let waitingEvents = 0
  let waitingBytes = 0
  let commits = 0
  let events = 0
  let gaps = new GapTally()
  const applyWaiting = async (upTo: Oid) => {
    // First: a view at a commit must know the gaps up to there.
    await view.noteGaps(gaps)
    gaps = new GapTally()
    events += await view.apply(waiting, upTo, how)
    waiting = []
    waitingEvents = 0
    waitingBytes = 0
  }
  for await (const segments of source) {
    for (const segment of segments) {
      for (const problem of segment.problems) report(problem)
      gaps.take(segment.problems)
      waiting.push(segment)
      waitingEvents += segment.items.length
      waitingBytes += segment.items.reduce((sum, { record }) => sum + record.length, 0)
      commits += 1
      // The sides of a merge come one after the other: only the head itself covers everything that was read.
      const linear = segment.parents.length <= 1
      if (linear && (waitingEvents >= applyEventsMax || waitingBytes >= applyBytesMax))
        await applyWaiting(segment.commit)
    }
    progress?.(commits)
  }
  await applyWaiting(head)
  await view.flush()
  return { commits, events }
}
