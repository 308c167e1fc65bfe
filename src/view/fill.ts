import type { Oid } from '../git/index.ts'
import { GapTally, type IssueSegment, type LogProblem } from '../wal/index.ts'
import type { View } from './view.ts'

/** Events, and bytes of their records, that go into one atomic batch at most. */
const applyEventsMax = 1024
const applyBytesMax = 8 * 1024 * 1024

export interface FillOptions {
  readonly head: Oid
  /** The segments that the view does not have, parents before children, ending in that of `head`. */
  readonly source: AsyncIterable<readonly IssueSegment[]>
  /** As for `View.apply`. */
  readonly how?: 'extension' | 'join'
  readonly report: (problem: LogProblem) => void
  /** Commits read so far. */
  readonly progress?: (commitsDone: number) => void
}

/** Brings a log's segments into a view, streaming, in batches that bound memory. Returns what was new. */
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
    // First: a view that stands at a commit knows what is lacking up to there.
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
      // A merge's sides come one after the other: only the head itself stands for all that was read.
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
