/** The daemon through its clients: the native launcher, the Node client, and one connection of a program. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type * as library from '../src/library/index.ts'
import { batchLines } from './batch-lines.ts'
import { type Bench, bareNode, griteScript, inRepository, ms, ratio, verdict } from './bench.ts'
import { rawFlushWave } from './commands.ts'
import { benchEnv, summarize, type Timing } from './measure.ts'
import { type TimedProcess, timeProcesses } from './time-processes.ts'

const env = { ...benchEnv, GRITE_NO_DAEMON: undefined }
const launcher = new URL('../dist/grite-fast', import.meta.url).pathname
const libraryUrl = new URL('../dist/library.mjs', import.meta.url).href

function run(cwd: string, words: readonly string[], input = ''): string {
  const options = { cwd, env: env as NodeJS.ProcessEnv, input, encoding: 'utf8', maxBuffer: 1 << 28 } as const
  const { status, stdout, stderr } = spawnSync(process.execPath, [griteScript, ...words], options)
  if (status !== 0) throw new Error(`grite ${words.join(' ')}: ${stderr}`)
  return stdout
}

/** After this time without a request a daemon has given back the memory that it does not need. */
const restMs = 12_000

/** Operations of one commit. */
const batchMax = 2500

/** Fills the repository and starts its daemon; returns the id of an issue. */
function prepare(cwd: string, count: number): string {
  for (let left = count; left > 0; left -= batchMax)
    run(cwd, ['batch', '--no-daemon'], batchLines(Math.min(left, batchMax)))
  run(cwd, ['daemon', 'start', '--idle-timeout', '0'])
  return JSON.parse(run(cwd, ['issue', 'list', '--limit', '1', '--json'])).data.issues[0].issue_id
}

async function withDaemon<Result>(cwd: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } finally {
    run(cwd, ['daemon', 'stop'])
  }
}

const withFlushesOff = (time: Timing, wave: Timing) => time.median - 3 * wave.median

export const daemonBench: Bench = {
  name: 'daemon',
  question:
    'in bare starts, through the launcher: `--version` 0.08, list of 1,000 unchanged 0.12, after a write 0.25, of 10,000 0.3, ' +
    '`show` 0.12, a durable create 0.28 without its flushes; through the Node client 1.3 for all',
  async run({ small }) {
    const runs = small ? 3 : 41
    const lines: string[] = []
    await inRepository((cwd) =>
      withDaemon(cwd, async () => {
        const id = prepare(cwd, small ? 50 : 1000)
        const fast = (...words: readonly string[]) => [existsSync(launcher) ? launcher : griteScript, ...words]
        const slow = (...words: readonly string[]) => [process.execPath, griteScript, ...words]
        const times = timeProcesses(
          {
            node: bareNode,
            version: fast('--version'),
            list: fast('issue', 'list', '--json'),
            show: fast('issue', 'show', id, '--json'),
            versionOfNode: slow('--version'),
            listOfNode: slow('issue', 'list', '--json'),
            showOfNode: slow('issue', 'show', id, '--json'),
          },
          { runs, cwd, env },
        )
        const writes = timeProcesses(
          {
            node: bareNode,
            create: fast('issue', 'create', '--title', 'A title', '--body', 'Some text'),
            listAfter: fast('issue', 'list', '--json'),
            createOfNode: slow('issue', 'create', '--title', 'A title', '--body', 'Some text'),
          },
          { runs, cwd, env },
        )
        const waves: number[] = []
        for (let count = 0; count < runs; count++) waves.push(await rawFlushWave(cwd))
        const wave = summarize(waves)
        const row = (name: string, time: number, base: number, target: number) =>
          `${name}: ${ratio(time, base)} (target ${target}x): ${verdict(time <= target * base)}; ${ms(time)}`
        /** The processor time of the Node client; that of the daemon is not in it. */
        const clientRow = (name: string, time: TimedProcess, base: TimedProcess) =>
          `${row(name, time.median, base.median, 1.3)}${
            time.processor && base.processor
              ? `, ${ratio(time.processor.median, base.processor.median)} of the processor time`
              : ''
          }`
        const { node } = times
        lines.push(
          row('launcher --version', times.version.median, node.median, 0.08),
          row('launcher list of 1,000', times.list.median, node.median, 0.12),
          row('launcher list after a write', writes.listAfter.median, writes.node.median, 0.25),
          row('launcher show', times.show.median, node.median, 0.12),
          row('launcher create, without flushes', withFlushesOff(writes.create, wave), writes.node.median, 0.28),
          clientRow('Node client --version', times.versionOfNode, node),
          clientRow('Node client list', times.listOfNode, node),
          clientRow('Node client show', times.showOfNode, node),
          row(
            'Node client create, without flushes',
            withFlushesOff(writes.createOfNode, wave),
            writes.node.median,
            1.3,
          ),
          `create ${ms(writes.create.median)}, bare node ${ms(node.median)}, one flush wave ${ms(wave.median)}`,
        )
      }),
    )
    await inRepository((cwd) =>
      withDaemon(cwd, async () => {
        prepare(cwd, small ? 100 : 10_000)
        const list = [existsSync(launcher) ? launcher : griteScript, 'issue', 'list', '--json']
        const times = timeProcesses({ node: bareNode, list }, { runs: small ? 3 : 15, cwd, env })
        const { pid, rss_bytes } = JSON.parse(run(cwd, ['daemon', 'status', '--json'])).data
        await sleep(small ? 10 : restMs)
        const rss = rssOf(pid) ?? rss_bytes
        lines.push(
          `launcher list of 10,000: ${ratio(times.list.median, times.node.median)} (target 0.3x): ${verdict(times.list.median <= 0.3 * times.node.median)}`,
          `resident memory at rest with 10,000 issues open: ${(rss / 2 ** 20).toFixed(0)} MiB (target 90 MB): ${verdict(rss <= 90e6)}`,
        )
      }),
    )
    return lines
  },
}

function rssOf(pid: number): number | undefined {
  try {
    const kilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024
  } catch {
    return undefined
  }
}

export const daemonLoadBench: Bench = {
  name: 'daemon-load',
  question:
    'over one connection: 32 writers 1,600 creates a second, 128 writers 3,500; one at most two times three flush waves and ' +
    '3 ms; a watcher hears of a write within 20 ms (p99)',
  run: ({ small }) =>
    inRepository((cwd) =>
      withDaemon(cwd, async () => {
        prepare(cwd, 10)
        const { connect, openRepository } = (await import(libraryUrl)) as typeof library
        await using served = await connect({ cwd, env, start: false })
        const perSecond = async (repo: library.Repository, writers: number, each: number) => {
          const start = process.hrtime.bigint()
          await Promise.all(
            Array.from({ length: writers }, async () => {
              for (let index = 0; index < each; index++) await repo.issues.create({ title: 'An issue' })
            }),
          )
          return (writers * each) / (Number(process.hrtime.bigint() - start) / 1e9)
        }
        await perSecond(served, 8, 10)
        const one: number[] = []
        const waves: number[] = []
        for (let count = 0; count < (small ? 5 : 100); count++) {
          const start = process.hrtime.bigint()
          await served.issues.create({ title: 'Alone' })
          one.push(Number(process.hrtime.bigint() - start) / 1e6)
          waves.push(await rawFlushWave(cwd))
        }
        const [alone, wave] = [summarize(one), summarize(waves)]
        const many = await perSecond(served, 32, small ? 2 : 60)
        const most = await perSecond(served, 128, small ? 1 : 30)
        const delays = await watchDelays(served, small ? 5 : 200)
        await using own = await openRepository({ cwd, env })
        await perSecond(own, 8, 10)
        const ownMany = await perSecond(own, 32, small ? 2 : 60)
        const ownMost = await perSecond(own, 128, small ? 1 : 30)
        const allowed = 2 * 3 * wave.median + 3
        const p99 = delays[Math.floor(delays.length * 0.99)] ?? 0
        return [
          `32 writers ${many.toFixed(0)}/s (target 1600): ${verdict(many >= 1600)}; 128 writers ${most.toFixed(0)}/s (target 3500): ${verdict(most >= 3500)}`,
          `embedded library: 32 writers ${ownMany.toFixed(0)}/s, 128 writers ${ownMost.toFixed(0)}/s`,
          `one writer ${ms(alone.median)} (allowed ${ms(allowed)}): ${verdict(alone.median <= allowed)}; one flush wave ${ms(wave.median)}`,
          `a watcher hears within ${ms(p99)} (p99; median ${ms(delays[delays.length >> 1] ?? 0)}; target 20 ms): ${verdict(p99 <= 20)}`,
        ]
      }),
    ),
}

/** Milliseconds from the acknowledgement of a write to the item of a watch, ascending. */
async function watchDelays(repo: library.Repository, count: number): Promise<number[]> {
  const heard = new Map<string, number>()
  const acknowledged = new Map<string, number>()
  const stream = repo.watch()
  const watching = (async () => {
    for await (const { event_id } of stream) {
      heard.set(event_id, performance.now())
      if (heard.size === count) break
    }
  })()
  await sleep(300)
  for (let index = 0; index < count; index++) {
    const { event_id } = await repo.issues.create({ title: 'Watched' })
    acknowledged.set(event_id, performance.now())
    await sleep(5)
  }
  await watching
  return [...acknowledged].map(([id, at]) => Math.max(0, (heard.get(id) ?? at) - at)).sort((one, other) => one - other)
}
