/** Lists of many streams, and what many streams cost plain git. */
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Bench, inRepository, ms, verdict } from '../bench.ts'
import { benchEnv, summarize } from '../measure.ts'
import { timeProcesses } from '../time-processes.ts'
import { writeStreams } from './fixtures.ts'
import { branching, creation, fillStream, openStore, streamNamed, timed } from './open-store.ts'

const large = streamNamed('bench/large')
const targetMs = 300
const fetchTargetMs = 50

export const streamListBench: Bench = {
  name: 'stream-list',
  question: `in process: list of 10,000 streams with a journal each, and of 400 branches of 100,000 records, within ${targetMs} ms; a plain \`git fetch\` beside them, refs packed, at most ${fetchTargetMs} ms slower`,
  run: ({ small }) =>
    inRepository(async (cwd) => {
      const [branches, records, streams] = small ? [3, 100, 5] : [400, 100_000, 10_000]
      const filling = await openStore(cwd)
      await filling.store.create(large, creation)
      await fillStream(filling.store, large, records)
      for (let index = 0; index < branches; index++) {
        const options = { at: Math.floor((records * index) / branches), ...branching }
        await filling.store.branch(streamNamed(`branch/${index}`), large, options)
      }
      await filling.close()
      const runs = small ? 1 : 5
      const opened = await timeLists(cwd, runs)
      await writeStreams(cwd, streams)
      const listed = await timeLists(cwd, runs)
      const plain = join(cwd, 'plain')
      addRemote(cwd, plain)
      const loose = timeFetches(cwd, plain, small ? 1 : 7)
      git(cwd, 'pack-refs', '--all')
      const packed = timeFetches(cwd, plain, small ? 1 : 7)
      return [
        `${branches} branches ${ms(opened.cached.median)} (target ${targetMs} ms): ${verdict(opened.cached.median <= targetMs)}; without the cache ${ms(opened.first)}`,
        `${streams} streams, refs loose, each with a journal ${ms(listed.cached.median)} (target ${targetMs} ms): ${verdict(listed.cached.median <= targetMs)}; without the cache ${ms(listed.first)}`,
        `plain git fetch beside them ${ms(packed.slowerMs)} slower after upkeep (target ${fetchTargetMs} ms): ${verdict(packed.slowerMs <= fetchTargetMs)}; ${ms(loose.slowerMs)} with loose refs, ${ms(packed.bareMs)} without streams`,
        `${opened.count} and ${listed.count} streams`,
      ]
    }),
}

async function timeLists(cwd: string, runs: number) {
  const times: number[] = []
  let [first, count] = [0, 0]
  for (let run = 0; run <= runs; run++) {
    const { store, close } = await openStore(cwd)
    const { result, elapsedMs } = await timed(() => store.list())
    await close()
    count = result.length
    if (run === 0) first = elapsedMs
    else times.push(elapsedMs)
  }
  return { first, count, cached: summarize(times) }
}

function git(cwd: string, ...args: readonly string[]): void {
  const identity = ['-c', 'user.name=bench', '-c', 'user.email=bench@example.invalid']
  execFileSync('git', [...identity, ...args], { cwd, env: benchEnv as NodeJS.ProcessEnv })
}

/** Gives a repository a remote, from which a new one is cloned, too. */
function addRemote(cwd: string, clone: string): void {
  const remote = join(cwd, 'remote')
  mkdirSync(remote)
  git(remote, 'init', '-q')
  git(remote, 'commit', '-q', '--allow-empty', '-m', 'first')
  git(cwd, 'remote', 'add', 'origin', remote)
  git(cwd, 'clone', '-q', remote, clone)
  git(cwd, 'fetch', '-q')
}

function timeFetches(cwd: string, plain: string, runs: number) {
  const fetchIn = (folder: string) => ['git', '-C', folder, 'fetch', '-q', 'origin'] as const
  const { beside, bare } = timeProcesses({ beside: fetchIn(cwd), bare: fetchIn(plain) }, { runs, cwd })
  return { slowerMs: beside.median - bare.median, bareMs: bare.median }
}
