/** What an acknowledged append costs above the disk. */
import { randomBytes } from 'node:crypto'
import { closeSync, fdatasync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { encodeRecord, FrameEncoder } from '../../src/model/streams/index.ts'
import { loadCrc } from '../../src/wal/streams/crc32c.ts'
import { type Bench, inRepository, ms, ratio, verdict } from '../bench.ts'
import { summarize } from '../measure.ts'
import {
  creation,
  local,
  makePayloads,
  openStore,
  perSecond,
  RecordDigest,
  streamNamed,
  timed,
  toDrafts,
} from './open-store.ts'

const singleTarget = 1.6

/** The frames of one-record appends, as the journal has them. */
async function makeFrames(payloads: readonly Uint8Array[]): Promise<readonly Uint8Array[]> {
  const encoder = new FrameEncoder('0'.repeat(16), await loadCrc(), randomBytes)
  return payloads.map((payload, offset) => {
    encoder.begin(0)
    const record = { tsUnixMs: Date.now(), writer: null, key: null, producer: null, payload }
    encoder.addRecords(offset, [encodeRecord({ ...record, contentType: 'text/plain', headers: [['kind', 'note']] })])
    return encoder.bytes.slice()
  })
}

export const flushed = (descriptor: number): Promise<void> =>
  new Promise((resolve, reject) => fdatasync(descriptor, (error) => (error ? reject(error) : resolve())))

export const streamAppendBench: Bench = {
  name: 'stream-append',
  question: `one writer, level local, each record of 200 bytes acknowledged by itself: at most ${singleTarget}x writeSync and async fdatasync of the same frames`,
  run: ({ small }) =>
    inRepository(async (cwd) => {
      const { store, close } = await openStore(cwd)
      const streamId = streamNamed('bench/append')
      await store.create(streamId, creation)
      const [rounds, each] = small ? [2, 5] : [40, 100]
      const payloads = makePayloads(each)
      const frames = await makeFrames(payloads)
      const drafts = toDrafts(payloads)
      const descriptor = openSync(join(cwd, 'raw'), 'ax')
      const sides = { raw: [] as number[], grite: [] as number[] }
      const cpu = { raw: 0, grite: 0 }
      const run = async (side: 'raw' | 'grite', append: (index: number) => Promise<unknown>) => {
        const before = process.cpuUsage()
        const { elapsedMs } = await timed(async () => {
          for (let index = 0; index < each; index++) await append(index)
        })
        const { user, system } = process.cpuUsage(before)
        sides[side].push(elapsedMs / each)
        cpu[side] += (user + system) / 1000
      }
      const raw = (index: number) => {
        writeSync(descriptor, frames[index] as Uint8Array)
        return flushed(descriptor)
      }
      const append = (index: number) => store.append(streamId, [drafts[index] as (typeof drafts)[number]], local)
      for (let round = 0; round < rounds; round++) {
        await run('raw', raw)
        await run('grite', append)
      }
      closeSync(descriptor)
      const digest = new RecordDigest()
      for await (const records of store.read(streamId, { from: 0, includeTail: true })) digest.add(records)
      await close()
      const [plain, grite] = [summarize(sides.raw), summarize(sides.grite)]
      return [
        `${ratio(grite.median, plain.median)} (target ${singleTarget}x): ${verdict(grite.median <= singleTarget * plain.median)}; minima ${ratio(grite.min, plain.min)}, CPU ${ratio(cpu.grite, cpu.raw)}`,
        `level local: append ${ms(grite.median * 1000)}/1000 (min ${ms(grite.min * 1000)}), raw ${ms(plain.median * 1000)}/1000 (min ${ms(plain.min * 1000)})`,
        `${digest}`,
      ]
    }),
}

const groupTarget = 150_000

export const streamGroupBench: Bench = {
  name: 'stream-group',
  question: `32 writers with 64 appends in flight each, level local, all sealed at the end: at least ${groupTarget} records a second, no stop of the event loop above 50 ms`,
  run: ({ small }) =>
    inRepository(async (cwd) => {
      const { store, close } = await openStore(cwd)
      const total = small ? 2048 : 655_360
      const drafts = toDrafts(makePayloads(1024)).map((draft) => [draft])
      const streamId = streamNamed('bench/group')
      await store.create(streamId, creation)
      const lane = async (count: number): Promise<void> => {
        for (let index = 0; index < count; index++)
          await store.append(streamId, drafts[index % drafts.length] as (typeof drafts)[number], local)
      }
      const stops = watchStops()
      const before = process.cpuUsage()
      const { elapsedMs: appendMs } = await timed(() =>
        Promise.all(Array.from({ length: 32 * 64 }, () => lane(total / (32 * 64)))),
      )
      const { elapsedMs: sealMs } = await timed(() => store.seal(streamId))
      const { user, system } = process.cpuUsage(before)
      const longest = stops.end()
      const digest = new RecordDigest()
      for await (const records of store.read(streamId, { from: 0, includeTail: true })) digest.add(records)
      await close()
      const rate = (total / (appendMs + sealMs)) * 1000
      return [
        `${perSecond(total, appendMs + sealMs)} (target ${groupTarget}/s): ${verdict(rate >= groupTarget)}; level local, sealed`,
        `appends alone ${perSecond(total, appendMs)}, last seal ${ms(sealMs)}, CPU ${(((user + system) / total) * 1).toFixed(2)} us a record`,
        `longest stop of the event loop ${ms(longest)} (target 50 ms): ${verdict(longest <= 50)}`,
        `${digest}`,
      ]
    }),
}

/** Measures the longest time in which no timer ran. */
function watchStops(): { end(): number } {
  let [longest, last] = [0, performance.now()]
  const look = () => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
  }
  const timer = setInterval(look, 1)
  return {
    end: () => {
      look()
      clearInterval(timer)
      return longest
    },
  }
}
