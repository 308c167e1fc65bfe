/** Syncs killed at various moments, and the next sync. The suite runs some moments, test/long the others. */
import assert from 'node:assert/strict'
import { cpSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { PublishPoint } from '../../src/git/index.ts'
import { type SyncPoint, walRef } from '../../src/wal/index.ts'
import { createSandbox } from '../git/temp-repository.ts'
import type { CommandOrder } from '../support/command-child.ts'
import { startCommandChild } from '../support/start-command-child.ts'
import { type Clones, createClones, type Member, memberIn } from './clones.ts'

type DieAt = NonNullable<CommandOrder['dieAt']>
interface Moment {
  readonly title: string
  readonly dieAt: DieAt
}

const syncPoints = ['fetched', 'staged', 'moved', 'pushed', 'tracked'] as const satisfies readonly SyncPoint[]
/** A joining sync publishes three times: the joined commits, the tracking refs, the local log. */
const publishes: readonly (readonly [nth: number, points: readonly PublishPoint[]])[] = [
  [1, ['started', 'files-staged', 'files-flushed', 'objects-placed', 'objects-written', 'published']],
  [2, ['ref-locked', 'ref-checked', 'ref-moved', 'ref-flushed']],
  [3, ['ref-checked', 'ref-moved']],
]

export const momentsBetweenSteps: readonly Moment[] = syncPoints.map((sync) => ({
  title: `once it has ${sync}`,
  dieAt: { sync },
}))
export const momentsOfPublishing: readonly Moment[] = publishes.flatMap(([nth, points]) =>
  points.map((publish) => ({ title: `at ${publish} of publish ${nth}`, dieAt: { publish, nth } })),
)

export function killedSyncs(moments: readonly Moment[]): void {
  describe('killed syncs', { concurrency: 4 }, () => {
    let original: Clones
    const cleanUps: (() => unknown)[] = []
    before(async () => {
      original = createClones({ after: (cleanUp) => cleanUps.push(cleanUp) })
      const [ann, bo] = [original.clone('ann'), original.clone('bo')]
      await ann.create('base')
      await ann.sync()
      await bo.sync()
      await bo.titles()
      await ann.create('of ann')
      await ann.sync()
      await bo.create('of bo')
    })
    after(async () => {
      for (const cleanUp of cleanUps) await cleanUp()
    })

    for (const { title, dieAt } of moments) {
      it(`a sync killed ${title} loses nothing and blocks nobody`, async (t) => {
        const sandbox = createSandbox(t)
        for (const name of ['origin.git', 'ann', 'bo'])
          cpSync(join(original.dir, name), join(sandbox.dir, name), { recursive: true, preserveTimestamps: true })
        const [ann, bo] = ['ann', 'bo'].map((name) => memberIn(sandbox, join(sandbox.dir, name))) as [Member, Member]
        const order = { cwd: bo.path, environment: sandbox.environment, commands: [{ name: 'sync', input: {} }], dieAt }
        const end = await startCommandChild(order)
        assert.equal(end.signal, 'SIGKILL', `${end.exitStatus} ${end.stderr}`)
        const origin = join(sandbox.dir, 'origin.git')
        for (const path of [origin, bo.path]) sandbox.git(path, 'fsck', '--strict', '--no-dangling')
        assert.equal((await bo.sync()).success, true)
        await ann.sync()
        const head = sandbox.git(origin, 'rev-parse', walRef)
        assert.deepEqual([bo.head(), ann.head()], [head, head])
        assert.deepEqual(await bo.titles(), ['base', 'of ann', 'of bo'])
        const ids = await bo.ids()
        assert.deepEqual([ids.length, new Set(ids).size], [3, 3])
        assert.deepEqual(bo.takeWarnings(), [])
        await bo.assertSound()
        const refs = readdirSync(join(bo.path, '.git/refs'), { recursive: true }).map(String)
        assert.deepEqual(
          refs.filter((path) => path.endsWith('.lock')),
          [],
        )
        const names = bo.git('for-each-ref', '--format=%(refname)')
        assert.match(names, /^refs\/grite-remotes\/\w+\/grite\/wal\nrefs\/grite\/wal$/)
      })
    }
  })
}
