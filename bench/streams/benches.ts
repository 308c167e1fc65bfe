import type { Bench } from '../bench.ts'
import { streamAppendBench, streamGroupBench } from './appends.ts'
import { streamDaemonBench } from './daemon.ts'
import { streamListBench } from './lists.ts'
import { streamProduceBench } from './produce.ts'
import { streamReplayBench } from './reads.ts'
import { streamRemoteBench } from './remote.ts'
import { streamStoredBench } from './stored-bytes.ts'
import { streamTinyBench } from './tiny.ts'

export const streamBenches: readonly Bench[] = [
  streamAppendBench,
  streamGroupBench,
  streamDaemonBench,
  streamProduceBench,
  streamReplayBench,
  streamListBench,
  streamTinyBench,
  streamRemoteBench,
  streamStoredBench,
]
