/**
 * `git gc`, `repack` and `pack-refs` beside a writer of a stream, and `prune --expire=now` at each point of a publish. Only a
 * prune that looked for reachable objects before a ref moved, and deletes after the publish, can take what was published.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { it } from 'node:test'
import type { PublishPoint } from '../../src/git/index.ts'
import { createTempRepository } from '../git/temp-repository.ts'
import { openRealStore, perform, type StreamDeed } from '../wal/streams/real-store.ts'
import { cloneA, draft, id, local, textsOf } from '../wal/streams/store-setup.ts'

const [log, side] = [id('log'), id('side')]

/** As long as git packs and prunes, and at least so many seals. */
const sealsMin = 60
const upkeepsMin = 3

const upkeep = ['git repack -adq', 'git pack-refs --all --prune', 'git gc -q', 'echo done'].join(' && ')

it('a writer beside gc, repack and pack-refs loses nothing', async (t) => {
  const { path, environment, run } = await createTempRepository(t)
  const place = await openRealStore({ cwd: path, environment, cloneId: cloneA })
  t.after(() => place.git.close())
  const store = place.open()
  for (const stream of [log, side]) await perform(place, store, { name: 'create', stream })
  const busy = spawn('sh', ['-c', `while ${upkeep}; do :; done`], {
    ...{ cwd: path, env: environment, detached: true },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [upkeeps, faults] = [0, '']
  busy.stderr.on('data', (part: Buffer) => {
    faults += part.toString()
  })
  busy.stdout.on('data', (part: Buffer) => {
    upkeeps += part.toString().split('done').length - 1
  })
  const ended = once(busy, 'close')
  const texts: string[] = []
  try {
    for (let seals = 0; seals < sealsMin || upkeeps < upkeepsMin; seals++) {
      assert.equal(busy.exitCode, null, faults)
      for (const part of ['a', 'b']) {
        const text = `${part}${seals}`
        assert.equal((await store.append(log, [draft(text)], local)).offset, texts.length)
        texts.push(text)
      }
      await store.seal(log)
      await store.append(side, [draft(`${seals}`)], local)
      if (seals % 10 === 9) await perform(place, store, { name: 'seal', stream: side })
    }
  } finally {
    if (busy.exitCode === null) process.kill(-(busy.pid as number), 'SIGKILL')
    await ended
  }
  t.diagnostic(`${texts.length} records, ${upkeeps} times of upkeep`)
  await store.close()
  const reader = place.open()
  assert.deepEqual(await textsOf(reader, log), texts)
  assert.equal((await textsOf(reader, side)).length, texts.length / 2)
  for (const stream of [log, side])
    for (const { problems } of await reader.acts.verify(stream)) assert.deepEqual(problems, [])
  await reader.close()
  run('fsck', '--strict', '--no-dangling')
})

const points: readonly PublishPoint[] = [
  ...([
    'started',
    'files-staged',
    'objects-placed',
    'objects-written',
    'ref-checked',
    'ref-moved',
    'published',
  ] as const),
]

/** Above this, a thread makes the commits of a seal, and writes their objects before the publish names them. Bytes. */
const sealedInThread = 256 * 1024

for (const [name, deeds, bytes] of [
  ['seal', [{ name: 'seal', stream: log }], 0],
  ['seal in a thread', [{ name: 'seal', stream: log }], sealedInThread],
  ['merge', [{ name: 'merge', stream: log, source: side }], 0],
  ['retain', [{ name: 'retain', stream: log }], 0],
] satisfies readonly (readonly [string, readonly StreamDeed[], number])[]) {
  it(`${name}: git prune at each point of its publishes loses no object`, async (t) => {
    const { path, environment, run } = await createTempRepository(t)
    let prunesAt: PublishPoint | null = null
    let prunes = 0
    const at = (point: PublishPoint) => {
      if (point !== prunesAt) return
      prunes += 1
      run('prune', '--expire=now')
    }
    const place = await openRealStore({ cwd: path, environment, cloneId: cloneA }, { hooks: { at } })
    t.after(() => place.git.close())
    const store = place.open()
    t.after(() => store.close())
    for (const stream of [log, side]) await perform(place, store, { name: 'create', stream })
    for (const point of points) {
      prunesAt = null
      for (const text of ['a', 'b', 'c']) {
        await store.append(log, [draft(`${text} ${point}`)], local)
        await store.seal(log)
      }
      await store.append(log, [draft(`d ${point}`), draft('x'.repeat(bytes))], local)
      await store.append(side, [draft(`s ${point}`)], local)
      const { nextOffset } = await store.status(log)
      prunesAt = point
      for (const deed of deeds) await perform(place, store, deed)
      const status = await store.status(log)
      assert.equal(status.nextOffset, nextOffset + (name === 'merge' ? 1 : 0))
      assert.ok((await textsOf(store, log, { from: nextOffset - 2 })).includes(`d ${point}`))
      run('fsck', '--strict', '--no-dangling')
    }
    assert.ok(prunes >= points.length)
    for (const { problems } of await store.acts.verify(log)) assert.deepEqual(problems, [])
  })
}
