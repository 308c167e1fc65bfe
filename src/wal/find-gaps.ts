import type { GitPort, Oid } from '../git/index.ts'
import { GapTally, type LogGaps } from './log-gap.ts'
import { readLog } from './read-log.ts'
import type { Stream } from './stream.ts'

/** Finds the parts of a stream that this clone lacks, up to a head. Reads all of it. */
export async function findGaps<Batch, Item>(
  git: GitPort,
  stream: Pick<Stream<Batch, Item>, 'codec'>,
  head: Oid,
): Promise<LogGaps> {
  const tally = new GapTally()
  for await (const segments of readLog(git, stream, { head })) {
    for (const { problems } of segments) tally.take(problems)
  }
  return tally
}
