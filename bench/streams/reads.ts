/** Replay, single records, and branches of a small and a large stream. */
import { execFileSync } from 'node:child_process'
import { closeSync, fdatasync, fsync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type * as library from '../../src/library/index.ts'
import type { StreamId } from '../../src/model/streams/index.ts'
import { type Bench, griteScript, inRepository, mib, ms, ratio, verdict } from '../bench.ts'
import { benchEnv, summarize, type Timing, timeThroughPipe } from '../measure.ts'
import { mulberry32 } from '../mulberry32.ts'
import {
  branching,
  creation,
  fillStream,
  openStore,
  perSecond,
  RecordDigest,
  streamNamed,
  timed,
} from './open-store.ts'

const replayTarget = 600_000
const lastTargetMs = 5
const randomTargetMs = 15
const branchTargetMs = 5
const consumeTarget = 100_000
const memoryTargetBytes = 200e6
const [large, ten] = [streamNamed('bench/large'), streamNamed('bench/ten')]

export const streamReplayBench: Bench = {
  name: 'stream-replay',
  question: `1,000,000 records: replay at ${replayTarget} a second, last record within ${lastTargetMs} ms, a random cold one within ${randomTargetMs} ms, a branch within ${branchTargetMs} ms; \`grite consume\` to a pipe at ${consumeTarget} a second below ${memoryTargetBytes / 1e6} MB`,
  run: ({ small }) =>
    inRepository(async (cwd) => {
      const count = small ? 4096 : 1_000_000
      const filling = await openStore(cwd)
      await filling.store.create(large, creation)
      await fillStream(filling.store, large, count)
      await filling.close()
      const replay = await replayOf(cwd, small ? 1 : 3)
      const last = await timeReads(cwd, small ? 2 : 15, () => count - 1)
      const random = mulberry32(7)
      const cold = await timeReads(cwd, small ? 2 : 15, () => Math.floor(random() * count))
      const branch = await timeBranches(cwd, count, small ? 2 : 15)
      const consumed = timeThroughPipe(griteScript, ['consume', large], cwd)
      const rate = (count / replay.elapsedMs) * 1000
      const consumeRate = (count / consumed.median) * 1000
      return [
        `replay ${perSecond(count, replay.elapsedMs)} (target ${replayTarget}/s): ${verdict(rate >= replayTarget)}`,
        `last record ${ms(last.warm.median)} (target ${lastTargetMs} ms): ${verdict(last.warm.median <= lastTargetMs)}; in a new store ${ms(last.cold.median)}, of which git takes ${ms(last.git.median)}`,
        `random record in a new store ${ms(cold.cold.median)} (target ${randomTargetMs} ms): ${verdict(cold.cold.median <= randomTargetMs)}; again ${ms(cold.warm.median)}, git alone ${ms(cold.git.median)}`,
        `consume ${perSecond(count, consumed.median)} (target ${consumeTarget}/s): ${verdict(consumeRate >= consumeTarget)}; peak ${mib(consumed.peakRssBytes)}: ${verdict(consumed.peakRssBytes < memoryTargetBytes)}`,
        `branch of ${count} records ${ms(branch.large.median)}, without its flushes ${restOf(branch.large, branch.waves)}; of 10 records ${ms(branch.ten.median)}, ${ratio(branch.large.median, branch.ten.median)}; at offset 0 ${ms(branch.start.median)}`,
        `branch through the library ${ms(branch.library.median)}, without its flushes ${restOf(branch.library, branch.waves)}; the flushes alone ${ms(branch.waves.median)}`,
        `${replay.digest}`,
      ]
    }),
}

/** What is left of the target for work without flushes. */
function restOf(branch: Timing, waves: Timing): string {
  const rest = branch.median - waves.median
  return `${ms(rest)} (target ${branchTargetMs} ms): ${verdict(rest <= branchTargetMs)}`
}

async function replayOf(cwd: string, runs: number) {
  let best = { elapsedMs: Number.POSITIVE_INFINITY, digest: '' }
  for (let run = 0; run < runs; run++) {
    const { store, close } = await openStore(cwd)
    const counted = await timed(async () => {
      let bytes = 0
      for await (const records of store.read(large, { from: 0, includeTail: true }))
        for (const record of records) bytes += record.bytes.length
      return bytes
    })
    const digest = new RecordDigest()
    if (run === 0) for await (const records of store.read(large, { from: 0, includeTail: true })) digest.add(records)
    best = {
      elapsedMs: Math.min(best.elapsedMs, counted.elapsedMs),
      digest: run === 0 ? `${digest}` : best.digest,
    }
    await close()
  }
  return best
}

/** Reads one record in a new store, again in the same one, and its segment by plain git. */
async function timeReads(cwd: string, runs: number, offsetOf: () => number) {
  const times = { cold: [] as number[], warm: [] as number[], git: [] as number[] }
  for (let run = 0; run < runs; run++) {
    const { store, close } = await openStore(cwd)
    const offset = offsetOf()
    times.cold.push((await timed(() => store.readAt(large, offset))).elapsedMs)
    times.warm.push((await timed(() => store.readAt(large, offset))).elapsedMs)
    const { head } = await store.status(large)
    await close()
    const start = performance.now()
    execFileSync('git', ['cat-file', 'commit', head], { cwd, env: benchEnv as NodeJS.ProcessEnv })
    times.git.push(performance.now() - start)
  }
  return { cold: summarize(times.cold), warm: summarize(times.warm), git: summarize(times.git) }
}

/** Branches in stores that know nothing of the parent yet. */
async function timeBranches(cwd: string, count: number, runs: number) {
  const filling = await openStore(cwd)
  await filling.store.create(ten, creation)
  await fillStream(filling.store, ten, 10)
  await filling.close()
  const times = {
    ...{ ten: [] as number[], large: [] as number[], start: [] as number[] },
    ...{ library: [] as number[], waves: [] as number[] },
  }
  const branch = async (side: 'ten' | 'large' | 'start', run: number, parent: StreamId, at: number) => {
    const { store, close } = await openStore(cwd)
    const name = streamNamed(`bench/branch/${side}/${run}`)
    const { elapsedMs } = await timed(() => store.branch(name, parent, { at, ...branching }))
    await close()
    // The first one loads things.
    if (run > 0) times[side].push(elapsedMs)
  }
  for (let run = 0; run <= runs; run++) {
    await branch('ten', run, ten, 10)
    await branch('large', run, large, count)
    await branch('start', run, large, 0)
  }
  // Of the same build as the command line.
  const { openRepository }: typeof library = await import(new URL('../../dist/library.mjs', import.meta.url).href)
  const repository = await openRepository({ cwd, env: benchEnv })
  for (let run = 0; run <= runs; run++) {
    const through = await timed(() => repository.stream(large).branch(`bench/branch/library/${run}`, { at: count - 1 }))
    const waves = await timed(() => flushLikeBranch(join(cwd, `waves-${run}`)))
    if (run === 0) continue
    times.library.push(through.elapsedMs)
    times.waves.push(waves.elapsedMs)
  }
  await repository.close()
  return {
    ...{ ten: summarize(times.ten), large: summarize(times.large), start: summarize(times.start) },
    ...{ library: summarize(times.library), waves: summarize(times.waves) },
  }
}

const [flushData, flushAll] = [promisify(fdatasync), promisify(fsync)]

/** The files of a branch, written and flushed in the same three waves: objects and ref, their folders, the ref's folder. */
async function flushLikeBranch(folder: string): Promise<void> {
  const folders = ['a', 'b', 'c', 'd', 'refs'].map((name) => join(folder, name))
  for (const each of folders) mkdirSync(each, { recursive: true })
  const files = folders.map((each) => {
    const descriptor = openSync(join(each, 'temporary'), 'ax')
    writeSync(descriptor, Buffer.alloc(256, 1))
    return descriptor
  })
  await Promise.all(files.map((descriptor) => flushData(descriptor)))
  for (const descriptor of files) closeSync(descriptor)
  for (const each of folders) renameSync(join(each, 'temporary'), join(each, 'file'))
  const refs = folders.at(-1) as string
  await Promise.all(folders.filter((each) => each !== refs).map(flushFolder))
  await flushFolder(refs)
}

async function flushFolder(folder: string): Promise<void> {
  const descriptor = openSync(folder, 'r')
  await flushAll(descriptor)
  closeSync(descriptor)
}
