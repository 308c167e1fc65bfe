import type { GitPort, Oid } from '../git/index.ts'
import { issueCodec } from './issue-log/issue-codec.ts'
import { GapTally, type LogGaps } from './log-gap.ts'
import { readLog } from './read-log.ts'

/** What this clone lacks of the log that ends in a head. Reads all of it. */
export async function findGaps(git: GitPort, head: Oid): Promise<LogGaps> {
  const tally = new GapTally()
  for await (const segments of readLog(git, issueCodec, { head })) {
    for (const { problems } of segments) tally.take(problems)
  }
  return tally
}
