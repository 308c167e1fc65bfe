/**
 * A process is killed at the steps of an act on a stream, in turn: each write, flush, link and removal in the journals, each
 * point of a publish, and each push. Afterwards every acknowledged record is at its offset, none invented, doubled or torn,
 * the same act succeeds, and no lock is left. Run by test/long with every fourth step, and by test/soak with all.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { NotFoundError } from '../../../src/model/index.ts'
import { encodeStreamId, type StreamId } from '../../../src/model/streams/index.ts'
import type { StreamStore } from '../../../src/wal/streams/index.ts'
import { createTempRepository } from '../../git/temp-repository.ts'
import { childProgram } from '../../support/child-program.ts'
import type { ActingLine, ActingOrder } from './acting-child.ts'
import { openRealStore, perform, type RealStore, type StreamDeed } from './real-store.ts'
import { cloneA, cloneB, draft, id, local, textsOf } from './store-setup.ts'

const [log, side] = [id('log'), id('side')]

interface Place extends RealStore {
  readonly path: string
  readonly environment: Readonly<Record<string, string>>
  readonly remote: string
  run(...args: readonly string[]): string
}

async function openPlace(t: TestContext): Promise<Place> {
  const { path, environment, run, dir } = await createTempRepository(t)
  const remote = join(dir, 'remote.git')
  run('init', '-q', '--bare', '--template=', remote)
  run('remote', 'add', 'origin', remote)
  const real = await openRealStore({ cwd: path, environment, cloneId: cloneA })
  t.after(() => real.git.close())
  return { ...real, path, environment, remote, run }
}

interface Ended {
  readonly isKilled: boolean
  readonly lines: readonly ActingLine[]
}

function act(place: Place, order: Partial<ActingOrder> & Pick<ActingOrder, 'deeds'>): Ended {
  const { path: cwd, environment } = place
  const whole: ActingOrder = { cwd, environment, cloneId: cloneA, dieAt: 0, ...order }
  const program = childProgram('test/wal/streams/acting-child.ts')
  const end = spawnSync(process.execPath, [...program, JSON.stringify(whole)], { encoding: 'utf8' })
  assert.ok(end.signal === 'SIGKILL' || (end.status === 0 && end.stderr === ''), end.stderr)
  const lines = end.stdout
    .split('\n')
    .filter(Boolean)
    .map((line): ActingLine => JSON.parse(line))
  return { isKilled: end.signal === 'SIGKILL', lines }
}

/** One act, as the process that is killed takes it. */
interface Case {
  readonly name: string
  /** Before the act of a round. @returns the acts of the process */
  prepare(store: StreamStore, round: string): Promise<readonly StreamDeed[]>
  /** What a reader sees after the kill. Default: nothing has changed. */
  check?(store: StreamStore, round: string, lines: readonly ActingLine[]): Promise<void>
  /** Repeats the act, if it is not done. Default: performs it. */
  repeat?(place: Place, store: StreamStore, deeds: readonly StreamDeed[]): Promise<void>
  /** After the repeated act. */
  after?(place: Place, store: StreamStore, round: string): Promise<void>
}

/** What was acknowledged, by stream. */
class Told {
  readonly #texts = new Map<StreamId, string[]>()

  of(stream: StreamId): string[] {
    const found = this.#texts.get(stream) ?? []
    this.#texts.set(stream, found)
    return found
  }

  clear(): void {
    this.#texts.clear()
  }

  async append(store: StreamStore, stream: StreamId, ...texts: readonly string[]): Promise<void> {
    for (const text of texts) {
      const { offset } = await store.append(stream, [draft(text)], local)
      assert.equal(offset, this.of(stream).length)
      this.of(stream).push(text)
    }
  }

  async check(store: StreamStore, stream: StreamId): Promise<void> {
    const { firstOffset, nextOffset } = await store.status(stream)
    const texts = this.of(stream)
    assert.equal(nextOffset, texts.length)
    assert.deepEqual(await textsOf(store, stream, { from: firstOffset }), texts.slice(firstOffset))
  }
}

const told = new Told()

const cases: readonly Case[] = [
  {
    name: 'append',
    prepare: async (_store, round) => [
      { name: 'append', stream: log, text: `a${round}` },
      { name: 'append', stream: log, text: `b${round}` },
    ],
    async check(store, round, lines) {
      const texts = told.of(log)
      for (const [index, { offset }] of lines.filter((line) => line.offset !== undefined).entries()) {
        assert.equal(offset, texts.length)
        texts.push(`${'ab'[index]}${round}`)
      }
      // Besides, only a whole record whose append was under way.
      const found = await textsOf(store, log)
      const rest = found.slice(texts.length)
      if (rest.length > 0) assert.deepEqual(rest, [`${texts.at(-1) === `a${round}` ? 'b' : 'a'}${round}`])
      texts.push(...rest)
    },
    repeat: (_place, store, [first]) => told.append(store, log, `again ${(first as { text: string }).text}`),
  },
  {
    name: 'seal',
    async prepare(store, round) {
      await told.append(store, log, `a${round}`, `b${round}`)
      return [{ name: 'seal', stream: log }]
    },
    after: async (_place, store) => assert.equal((await store.status(log)).sealedOffset, told.of(log).length),
  },
  {
    name: 'branch',
    async prepare(store, round) {
      await told.append(store, log, `a${round}`)
      return [{ name: 'branch', stream: id(`branch ${round}`), source: log }]
    },
    async repeat(place, store, [deed]) {
      if ((await store.find((deed as StreamDeed).stream)) === null) await perform(place, store, deed as StreamDeed)
    },
    async after(_place, store, round) {
      assert.deepEqual(await textsOf(store, id(`branch ${round}`)), told.of(log))
    },
  },
  {
    name: 'merge',
    async prepare(store, round) {
      await told.append(store, side, `s${round}`, `t${round}`)
      const from = told.of(log).length
      told.of(log).push(`a${round}`)
      assert.equal((await store.append(log, [draft(`a${round}`)], local)).offset, from)
      return [{ name: 'merge', stream: log, source: side }]
    },
    async check(store, round) {
      await told.check(store, side)
      const texts = await textsOf(store, log)
      if (texts.length > told.of(log).length) told.of(log).push(`s${round}`, `t${round}`)
    },
    async after(_place, store, round) {
      if (told.of(log).at(-1) !== `t${round}`) told.of(log).push(`s${round}`, `t${round}`)
      await told.check(store, log)
      assert.equal(new Set(told.of(log)).size, told.of(log).length)
    },
  },
  {
    name: 'retain',
    async prepare(store, round) {
      for (const text of ['a', 'b', 'c']) {
        await told.append(store, log, `${text}${round}`)
        await store.seal(log)
      }
      await told.append(store, log, `d${round}`)
      return [{ name: 'retain', stream: log }]
    },
    after: async (_place, store) => assert.equal((await store.status(log)).firstOffset, told.of(log).length - 2),
  },
  {
    name: 'takeover',
    async prepare(store, round) {
      await perform(unreachable, store, { name: 'takeover', stream: log })
      await told.append(store, log, `a${round}`)
      await store.seal(log)
      return [{ name: 'takeover', stream: log }]
    },
    async repeat({ open }, _store, [deed]) {
      const other = open(cloneB)
      await perform(unreachable, other, deed as StreamDeed)
      await told.append(other, log, `other ${told.of(log).length}`)
      await other.seal(log)
      await other.close()
    },
  },
  {
    name: 'delete',
    async prepare(store, round) {
      const stream = id(`ended ${round}`)
      await perform(unreachable, store, { name: 'create', stream })
      await told.append(store, stream, 'one', 'two')
      return [{ name: 'delete', stream }]
    },
    async check(store, round) {
      const stream = id(`ended ${round}`)
      const head = await store.find(stream)
      if (head?.manifest.act?.name !== 'tombstone') await told.check(store, stream)
    },
    async repeat(place, store, [deed]) {
      try {
        await perform(place, store, deed as StreamDeed)
      } catch (error) {
        if (!(error instanceof NotFoundError)) throw error
      }
    },
    async after(_place, store, round) {
      const stream = id(`ended ${round}`)
      const head = await store.find(stream)
      assert.equal(head?.manifest.act?.name, 'tombstone')
      assert.equal(head?.manifest.entries, 2)
      await store.acts.purge(stream, { despiteDependants: false, preview: false })
    },
  },
  {
    name: 'publish',
    async prepare(store, round) {
      await told.append(store, log, `a${round}`)
      await store.seal(log)
      return [{ name: 'publish', stream: log }]
    },
    after: async (place, store) => assertPublished(place, store),
  },
]

/** For acts that need no remote. */
const unreachable: Pick<RealStore, 'remotePlace'> = {
  remotePlace: () => assert.fail('no remote is needed'),
}

async function assertPublished({ run, remote }: Place, store: StreamStore): Promise<void> {
  const { ref, head } = await store.status(log)
  assert.match(run('ls-remote', remote, ref), new RegExp(`^${head}\t`))
}

/** Everything that must hold whatever a process did: no record is torn, and no lock is in the way. */
async function assertSound({ path, folder, open }: Place): Promise<void> {
  const store = open()
  const streams = await store.list()
  for (const { streamId } of streams)
    for (const { problems } of await store.acts.verify(streamId)) assert.deepEqual(problems, [])
  await store.close()
  const refLocks = readdirSync(join(path, '.git/refs/grite'), { recursive: true, encoding: 'utf8' })
  assert.deepEqual(
    refLocks.filter((name) => name.endsWith('.lock')),
    [],
  )
  // Of each stream at most the newest journal, and the empty one that it continues.
  const known = streams.map(({ streamId, generation }) => `${encodeStreamId(streamId)}.${generation}.`)
  const files = readdirSync(folder).filter((name) => /\.(?:journal|lock|tmp)$/.test(name))
  const isKnown = (name: string) => name.endsWith('.journal') && known.some((prefix) => name.startsWith(prefix))
  assert.ok(files.every(isKnown) && files.length <= 2 * known.length, files.join())
}

/** @param stride - 1 for all steps */
export function killAtSteps(stride: number): void {
  for (const [index, { name, prepare, check, repeat, after }] of cases.entries()) {
    it(`${name} killed at any step loses, doubles and invents no record`, async (t) => {
      const place = await openPlace(t)
      told.clear()
      const first = place.open()
      for (const stream of [log, side]) await perform(place, first, { name: 'create', stream })
      await told.append(first, log, 'first')
      await first.close()
      for (let dieAt = 1 + (index % stride), isKilled = true; isKilled; dieAt += stride) {
        const round = `${dieAt}`
        const before = place.open()
        const deeds = await prepare(before, round)
        await before.close()
        const cloneId = name === 'takeover' ? cloneB : cloneA
        const ended = act(place, { deeds, dieAt, cloneId })
        isKilled = ended.isKilled
        const reader = place.open()
        await check?.(reader, round, ended.lines)
        await told.check(reader, log)
        await reader.close()
        const again = place.open()
        if (repeat !== undefined) await repeat(place, again, deeds)
        else for (const deed of deeds) await perform(place, again, deed)
        await after?.(place, again, round)
        await again.close()
        if (!isKilled) t.diagnostic(`${ended.lines.at(-1)?.steps} steps`)
        assert.ok(isKilled || dieAt >= 5, 'the act has steps')
      }
      await assertSound(place)
      place.run('fsck', '--strict', '--no-dangling')
    })
  }
}

export function killInHooks(): void {
  for (const hook of ['pre-receive', 'post-receive'] as const) {
    it(`publish killed while the remote runs ${hook} can be repeated`, async (t) => {
      const place = await openPlace(t)
      told.clear()
      const store = place.open()
      t.after(() => store.close())
      await perform(place, store, { name: 'create', stream: log })
      await told.append(store, log, 'a')
      await store.seal(log)
      const [pidFile, done] = [join(place.remote, 'victim'), join(place.remote, 'done')]
      mkdirSync(join(place.remote, 'hooks'), { recursive: true })
      const file = join(place.remote, 'hooks', hook)
      writeFileSync(file, `#!/bin/sh\nkill -9 "$(cat '${pidFile}')"\n: > '${done}'\n`)
      chmodSync(file, 0o755)
      assert.ok(act(place, { deeds: [{ name: 'publish', stream: log }], pidFile }).isKilled)
      while (!existsSync(done)) await sleep(10)
      rmSync(file)
      await told.append(store, log, 'b')
      await store.seal(log)
      await perform(place, store, { name: 'publish', stream: log })
      await assertPublished(place, store)
      await told.check(store, log)
      await assertSound(place)
    })
  }
}
