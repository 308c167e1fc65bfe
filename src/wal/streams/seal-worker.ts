// The program of the thread that seals (sealing-thread.ts).
import { parentPort } from 'node:worker_threads'
import { deflateObject, writeLooseObjects } from '../../git/index.ts'
import { FrameList, nodeJournalDisk, readFrames } from './journal/index.ts'
import { loadSegmentTools } from './open-segment.ts'
import { batchesUpToGap, sealBatches } from './seal-batches.ts'
import {
  buffersOf,
  headOf,
  packCommit,
  type SealingAnswer,
  type SealingOrder,
  type SentCommit,
} from './sealing-messages.ts'

parentPort?.on('message', (order: SealingOrder) => void answer(order))

async function answer(order: SealingOrder): Promise<void> {
  const { number } = order
  try {
    const commits = await write(order, await seal(order))
    parentPort?.postMessage({ number, commits } satisfies SealingAnswer, buffersOf(commits))
  } catch {
    // The other thread tries it itself, and reports why it fails.
    parentPort?.postMessage({ number, commits: null } satisfies SealingAnswer)
  }
}

async function seal(order: SealingOrder) {
  const { format, journal, frames, from } = order
  const tools = await loadSegmentTools()
  const place = { disk: nodeJournalDisk, crc32c: tools.crc32c }
  const batches = batchesUpToGap(readFrames(place, journal, new FrameList(frames), from), from)
  const made = []
  for (const commit of sealBatches(tools, format, headOf(order), batches))
    if (commit !== undefined) made.push(packCommit(commit, deflateObject))
  return made
}

/** Where writing fails, the other thread does it, and reports why. */
async function write({ objectPlace }: SealingOrder, commits: readonly SentCommit[]): Promise<readonly SentCommit[]> {
  if (objectPlace === null) return commits
  try {
    await writeLooseObjects(
      objectPlace,
      commits.flatMap(({ objects }) => objects),
    )
  } catch {
    return commits
  }
  return commits.map((commit) => ({ ...commit, isWritten: true }))
}
