/**
 * Random histories of three clones and a remote, beside other programs that move refs. Two of the clones take each other for
 * the same one, as copies of one repository do; the third has to take a stream over. Compared with a toy: what each clone
 * was told. The clones are in memory, or real repositories.
 */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import fc from 'fast-check'
import { ConflictError, GriteError } from '../../../src/model/index.ts'
import type { CloneId, StreamId } from '../../../src/model/streams/index.ts'
import type { StreamStore } from '../../../src/wal/streams/index.ts'
import { refOfStream } from '../../../src/wal/streams/stream-refs.ts'
import { createClones } from './clones-setup.ts'
import { branching, creation, draft, id, local, readAll } from './store-setup.ts'

/** What histories do with a clone. */
export interface ModelClone {
  /** Of the process that runs now. */
  readonly store: StreamStore
  /** Ends the process without a chance to do anything, and starts another one. */
  restart(): unknown
  publish(...ids: readonly StreamId[]): Promise<unknown>
  /** Every stream without ids. */
  fetch(...ids: readonly StreamId[]): Promise<unknown>
  rescue(id: StreamId): Promise<unknown>
  /** As another program moves the log: to where the remote has it, or away. */
  moveLog(to: 'remote' | 'nowhere'): Promise<void>
}

/** Three writers and a reader. */
export type OpenClones = (t: Pick<TestContext, 'after'>) => Promise<readonly ModelClone[]>

export const log = id('log')
export const logRef = refOfStream(log, 0)
export const idOfClone = (index: number) => (index < 2 ? 'aa' : `${index}`.repeat(2)).repeat(16) as CloneId

const acts = [
  ...(['append', 'append', 'append', 'append', 'seal', 'publish', 'publish', 'fetch', 'restart', 'force'] as const),
  ...(['delete', 'rescue', 'takeover', 'branch', 'merge', 'retain'] as const),
] as const

interface Step {
  readonly act: (typeof acts)[number]
  readonly who: 0 | 1 | 2
}

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({ act: fc.constantFrom(...acts), who: fc.constantFrom(0, 0, 0, 1, 1, 2) as fc.Arbitrary<0 | 1 | 2> }),
  { minLength: 1, maxLength: 25 },
)

export const inMemory: OpenClones = async (t) => {
  const { clones, remote } = createClones(t, 4, undefined, idOfClone)
  return clones.map(
    (clone): ModelClone => ({
      ...clone,
      get store() {
        return clone.store
      },
      restart: () => clone.restart(),
      fetch: (...ids) => clone.fetch(...ids),
      rescue: (streamId) => clone.rescue(streamId),
      async moveLog(to) {
        if (to === 'nowhere') clone.refs.delete(logRef)
        else clone.refs.set(logRef, remote.get(logRef) ?? assert.fail())
      },
    }),
  )
}

/** Every acknowledged record of each writer is there at its offset, once. */
export async function checkClones(
  runs: number,
  { open = inMemory, seed }: { readonly open?: OpenClones; readonly seed?: number } = {},
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(steps, async (history) => {
      const cleanups: (() => unknown)[] = []
      try {
        const t = { after: (cleanup: () => unknown) => void cleanups.push(cleanup) }
        await play(await open(t as Pick<TestContext, 'after'>), history)
      } finally {
        for (const cleanup of cleanups.reverse()) await cleanup()
      }
    }),
    { numRuns: runs, ...(seed === undefined ? {} : { seed }) },
  )
}

async function play(clones: readonly ModelClone[], history: readonly Step[]): Promise<void> {
  const [first, ...others] = clones as [ModelClone, ...ModelClone[]]
  const reader = others.pop() as ModelClone
  await first.store.create(log, creation)
  await first.publish(log)
  for (const clone of others) await clone.fetch()
  const writers = [first, ...others]
  const told = writers.map(() => new Map<string, number>())
  /** Payloads that a retention took from the log. */
  const dropped = new Set<string>()
  for (const [index, { act, who }] of history.entries()) {
    try {
      const clone = writers[who] as ModelClone
      if (act === 'retain') for (const text of await retain(clone.store)) dropped.add(text)
      else await take(clone, told[who] as Map<string, number>, act, `${who}-${index}`)
    } catch (error) {
      // A diverged stream refuses, and so does one whose ref another program deleted while it was only pushed.
      if (!(error instanceof ConflictError || (error instanceof GriteError && error.code === 'not_found'))) throw error
    }
  }
  for (const [who, acked] of told.entries()) {
    const clone = writers[who] as ModelClone
    clone.restart()
    await clone.fetch()
    await clone.rescue(log)
    await assertHolds(clone, acked, dropped, `clone ${who}`)
    const own = (await clone.store.list()).filter(({ owner }) => owner === 'ours')
    for (const { streamId } of own) await clone.store.seal(streamId)
    await clone.publish(...(await clone.store.list()).map(({ streamId }) => streamId))
  }
  await reader.fetch()
  for (const acked of told) await assertHolds(reader, acked, dropped, 'restored')
}

/** @returns the payloads that are no longer in the log */
async function retain(store: StreamStore): Promise<readonly string[]> {
  // A writer restores a ref that was moved back; a reader only reports it.
  await store.seal(log)
  const before = await payloadsOf(store, log)
  await store.acts.retain(log, {
    ...{ policy: { maxAgeMs: null, maxBytes: null, maxCount: 2 }, compact: false, preview: false },
    ...{ actor: null, reason: null },
  })
  const { firstOffset } = await store.status(log)
  return before.flatMap(({ text, offset }) => (offset < firstOffset ? [text] : []))
}

async function take(
  clone: ModelClone,
  acked: Map<string, number>,
  act: Exclude<Step['act'], 'retain'>,
  text: string,
): Promise<void> {
  const { store } = clone
  const append = async (streamId: StreamId) =>
    acked.set(text, (await store.append(streamId, [draft(text)], local)).offset)
  switch (act) {
    case 'append':
      return void (await append(log))
    case 'seal':
      return void (await store.seal(log))
    case 'publish':
      return void (await clone.publish(log))
    case 'fetch':
      return void (await clone.fetch())
    case 'restart':
      return void clone.restart()
    case 'force':
      return await clone.moveLog('remote')
    case 'delete':
      return await clone.moveLog('nowhere')
    case 'rescue':
      return void (await clone.rescue(log))
    case 'takeover':
      return void (await store.acts.takeOver(log, { actor: null, reason: null }))
    case 'branch': {
      await store.branch(id(`branch ${text}`), log, branching)
      return void (await append(id(`branch ${text}`)))
    }
    case 'merge':
      return await mergeOther(store)
  }
}

/** Merges the last of the other streams into the log. */
async function mergeOther(store: StreamStore): Promise<void> {
  const other = (await store.list()).filter(({ streamId }) => streamId !== log).at(-1)
  if (other === undefined) return
  await store.acts.merge(log, {
    ...({ into: 'existing', policy: 'recursive', preview: false, actor: null, reason: null } as const),
    ...{ sources: [{ streamId: other.streamId }], labels: [], evidence: [], notes: [], rows: [] },
  })
}

async function assertHolds(
  clone: ModelClone,
  acked: ReadonlyMap<string, number>,
  dropped: ReadonlySet<string>,
  where: string,
): Promise<void> {
  const found = await holdings(clone)
  for (const [text, offset] of acked)
    assert.ok(found.get(text)?.has(offset) || dropped.has(text), `${text} at ${offset}: ${where}`)
}

/** Offsets by payload, over all streams; each has a payload at most once. */
async function holdings({ store }: ModelClone): Promise<ReadonlyMap<string, ReadonlySet<number>>> {
  const found = new Map<string, Set<number>>()
  for (const { streamId } of await store.list()) {
    const seen = new Set<string>()
    for (const { text, offset } of await payloadsOf(store, streamId)) {
      assert.ok(!seen.has(text), `${text} twice in ${streamId}`)
      seen.add(text)
      found.set(text, (found.get(text) ?? new Set()).add(offset))
    }
  }
  return found
}

async function payloadsOf(store: StreamStore, streamId: StreamId) {
  const { firstOffset } = await store.status(streamId)
  return (await readAll(store, streamId, { from: firstOffset })).map((read) => ({
    ...{ text: Buffer.from(read.record().payload).toString(), offset: read.offset },
  }))
}
