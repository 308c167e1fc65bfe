/** Publishing and cold restore, beside plain git moving the same objects. */
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { openRemotes, privatePermissions } from '../../src/git/index.ts'
import { publishStreams, type RemotePlace } from '../../src/wal/streams/index.ts'
import { refOfStream } from '../../src/wal/streams/stream-refs.ts'
import { type Bench, inRepository, ms, ratio, verdict } from '../bench.ts'
import { benchEnv, summarize } from '../measure.ts'
import { creation, fillStream, type OpenStore, openStore, streamNamed, timed } from './open-store.ts'

const target = 1.5
const published = streamNamed('bench/published')

export const streamRemoteBench: Bench = {
  name: 'stream-remote',
  question: `publish and cold restore of 100,000 records, in process: at most ${target}x plain \`git push\` and \`git fetch\` of the same objects`,
  run: ({ small }) =>
    inRepository(async (cwd) => {
      const count = small ? 500 : 100_000
      const local = await openStore(cwd)
      await local.store.create(published, creation)
      await fillStream(local.store, published, count)
      const refspec = `${refOfStream(published, 0)}:${refOfStream(published, 0)}`
      const times = { push: [] as number[], publish: [] as number[], fetch: [] as number[], restore: [] as number[] }
      let [restored, checkMs] = [0, 0]
      for (let round = 0; round < (small ? 1 : 3); round++) {
        const make = (name: string) => newRepository(join(cwd, `${round}-${name}`))
        const [plain, remote] = [make('plain'), make('remote')]
        times.push.push((await timed(async () => git(cwd, 'push', '-q', plain, refspec))).elapsedMs)
        const place = placeOf(local, remote)
        const request = { ids: [published], isDryRun: false }
        times.publish.push((await timed(() => publishStreams(place, request))).elapsedMs)
        const empty = make('fetched')
        times.fetch.push((await timed(async () => git(empty, 'fetch', '-q', remote, refspec))).elapsedMs)
        const clone = await openStore(make('restored'))
        const selection = { ids: [published], isWanted: () => true }
        times.restore.push((await timed(() => clone.store.fetch(placeOf(clone, remote), selection))).elapsedMs)
        const head = await clone.store.head(published)
        restored = head.manifest.firstOffset + head.manifest.count
        checkMs = (await timed(() => clone.store.acts.verifyHead(head))).elapsedMs
        await clone.close()
      }
      await local.close()
      const [push, publish] = [summarize(times.push), summarize(times.publish)]
      const [fetch, restore] = [summarize(times.fetch), summarize(times.restore)]
      return [
        `publish ${ratio(publish.median, push.median)} of git push (target ${target}x): ${verdict(publish.median <= target * push.median)}; ${ms(publish.median)}, git ${ms(push.median)}`,
        `restore ${ratio(restore.median, fetch.median)} of git fetch (target ${target}x): ${verdict(restore.median <= target * fetch.median)}; ${ms(restore.median)}, git ${ms(fetch.median)}`,
        `checking all roots takes ${ms(checkMs)} beside it`,
        `${restored} records restored`,
      ]
    }),
}

function newRepository(path: string): string {
  mkdirSync(path)
  git(path, 'init', '-q')
  return path
}

function git(cwd: string, ...args: readonly string[]): void {
  execFileSync('git', args, { cwd, env: benchEnv as NodeJS.ProcessEnv, stdio: 'ignore' })
}

function placeOf({ git: port, store }: OpenStore, remote: string): RemotePlace {
  const options = { isInteractive: false, silenceSecondsMax: async () => 60, permissions: privatePermissions }
  return {
    ...{ git: port, remotes: openRemotes(port, options), manifests: store.reader.manifests, remote, runHooks: false },
    ...{ clock: { nowUnixMs: Date.now }, jitter: () => 0.5 },
    onDamage: ({ reason }) => process.stderr.write(`${reason}\n`),
  }
}
