/** Replay of a stream that was sealed after every record. */
import { type Bench, inRepository, verdict } from '../bench.ts'
import { writeTinySegments } from './fixtures.ts'
import { openStore, perSecond, RecordDigest, streamNamed, timed } from './open-store.ts'

const tinyTarget = 30_000

export const streamTinyBench: Bench = {
  name: 'stream-tiny',
  question: `replay of 100,000 segments of one record, in one pack: at least ${tinyTarget} a second`,
  run: ({ small }) =>
    inRepository(async (cwd) => {
      const count = small ? 8 : 100_000
      const tiny = streamNamed('bench/tiny')
      await writeTinySegments(cwd, tiny, count)
      const { store, close } = await openStore(cwd)
      const digest = new RecordDigest()
      const { elapsedMs } = await timed(async () => {
        for await (const records of store.read(tiny, { from: 0, includeTail: true })) digest.add(records)
      })
      await close()
      const rate = (count / elapsedMs) * 1000
      return [`${perSecond(count, elapsedMs)} (target ${tinyTarget}/s): ${verdict(rate >= tinyTarget)}`, `${digest}`]
    }),
}
