/** Appends and tails through the daemon. */
import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type * as library from '../../src/library/index.ts'
import { type Bench, griteScript, inRepository, ms, ratio, runGrite, verdict } from '../bench.ts'
import { benchEnv, summarize } from '../measure.ts'
import { flushed } from './appends.ts'
import { makePayloads, perSecond, timed } from './open-store.ts'

const connections = 32
const appendTarget = 20_000
const wakeTargetMs = 20

export const streamDaemonBench: Bench = {
  name: 'stream-daemon',
  question: `${connections} connections with one append in flight each, level local: at least ${appendTarget} a second, or half of ${connections} for each raw fdatasync; a tail wakes up within ${wakeTargetMs} ms (p99)`,
  run: ({ small }) =>
    inRepository(async (cwd) => {
      runGrite(cwd, 'init', '--quiet')
      runGrite(cwd, 'daemon', 'start')
      // Of the same build as the daemon.
      const { connect }: typeof library = await import(new URL('../../dist/library.mjs', import.meta.url).href)
      const open = () => connect({ cwd, env: { ...benchEnv, GRITE_NO_DAEMON: '' }, start: false, program: griteScript })
      const repositories = await Promise.all(Array.from({ length: connections }, open))
      try {
        const each = small ? 5 : 500
        const first = repositories[0] as library.Repository
        await first.streams.create('bench')
        const payloads = makePayloads(each)
        const raw: number[] = []
        const rates: number[] = []
        for (let round = 0; round < (small ? 1 : 3); round++) {
          raw.push(await timeRaw(cwd, payloads))
          const { elapsedMs } = await timed(() =>
            Promise.all(
              repositories.map(async (repository) => {
                const stream = repository.stream('bench')
                for (const payload of payloads) await stream.append(payload)
              }),
            ),
          )
          rates.push((connections * each) / (elapsedMs / 1000))
        }
        const rate = summarize(rates).median
        const flushMs = summarize(raw).median
        const target = Math.min(appendTarget, connections / 2 / (flushMs / 1000))
        const wakes = await timeWakes(first, repositories[1] as library.Repository, small ? 10 : 300)
        const p99 = wakes[Math.floor(wakes.length * 0.99)] ?? 0
        const { next_offset } = await first.stream('bench').status()
        return [
          `${perSecond(rate, 1000)} (target ${Math.round(target)}/s): ${verdict(rate >= target)}; ${ratio(rate, connections / (flushMs / 1000))} of ${connections} for each write and fdatasync`,
          `level local: best round ${perSecond(summarize(rates).max, 1000)}; raw write and fdatasync ${ms(flushMs)}`,
          `tail wakes up in ${ms(p99)} (p99, target ${wakeTargetMs} ms): ${verdict(p99 <= wakeTargetMs)}; median ${ms(wakes[wakes.length >> 1] ?? 0)}, from the call of append on`,
          `${next_offset} records`,
        ]
      } finally {
        for (const repository of repositories) await repository.close()
        runGrite(cwd, 'daemon', 'stop')
      }
    }),
}

/** Milliseconds of one write and flush. */
async function timeRaw(cwd: string, payloads: readonly Uint8Array[]): Promise<number> {
  const descriptor = openSync(join(cwd, 'raw'), 'a')
  const some = payloads.slice(0, 200)
  const { elapsedMs } = await timed(async () => {
    for (const payload of some) {
      writeSync(descriptor, payload)
      await flushed(descriptor)
    }
  })
  closeSync(descriptor)
  return elapsedMs / some.length
}

/** Milliseconds from an append to its record in the tail of another connection, sorted. */
async function timeWakes(
  writer: library.Repository,
  reader: library.Repository,
  count: number,
): Promise<readonly number[]> {
  const stop = new AbortController()
  const arrivals = new Map<string, number>()
  const tailing = (async () => {
    for await (const { text } of reader.stream('bench').tail({ signal: stop.signal })) {
      arrivals.set(text, performance.now())
      if (arrivals.has(`wake ${count - 1}`)) return
    }
  })()
  // The tail begins at the end of the stream.
  await sleep(100)
  const sent: number[] = []
  for (let index = 0; index < count; index++) {
    sent.push(performance.now())
    await writer.stream('bench').append(`wake ${index}`)
    await sleep(2)
  }
  await Promise.race([tailing, sleep(5000, undefined, { ref: false })])
  stop.abort()
  await tailing
  return sent
    .map((atMs, index) => (arrivals.get(`wake ${index}`) ?? Number.POSITIVE_INFINITY) - atMs)
    .toSorted((left, right) => left - right)
}
