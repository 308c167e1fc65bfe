/** Plays random histories of clones of one remote, and compares everything with plain data. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { CloneId, StreamId } from '../../../../src/model/streams/index.ts'
import { createClones } from '../clones-setup.ts'
import { creation, id } from '../store-setup.ts'
import { acts } from './acts.ts'
import { assertAgrees, checkStream, settle, verifyClone } from './check.ts'
import { fetch, publish, rescue } from './remote-acts.ts'
import { type HistoryClone, isOurs, namesOf, newestOf, type World } from './state.ts'
import { begin, type Step, type Turn } from './turn.ts'

const chosen = acts.flatMap(({ weight }, act) => Array.from({ length: weight }, () => act))

// Without a bias for short histories.
const steps: fc.Arbitrary<readonly Step[]> = fc.noBias(
  fc.array(
    fc.record({
      act: fc.constantFrom(...chosen),
      ...{ clone: fc.constantFrom(0, 0, 0, 1, 1, 2), process: fc.constantFrom<0 | 1>(0, 0, 1) },
      ...{ stream: fc.nat(7), other: fc.nat(7), at: fc.nat(11), count: fc.nat(3) },
    }),
    { minLength: 1, maxLength: 50, size: 'max' },
  ),
)

/** In some histories, the first two clones take each other for the same one. */
const copies = fc.constantFrom(false, false, true)

export async function playHistories(runs: number, seed: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(copies, steps, async (areCopies, history) => {
      const cleanups: (() => unknown)[] = []
      try {
        await play({ after: (cleanup) => void cleanups.push(cleanup as () => unknown) }, areCopies, history)
      } finally {
        for (const cleanup of cleanups.reverse()) await cleanup()
      }
    }),
    { numRuns: runs, seed },
  )
}

type CleanUp = Parameters<typeof createClones>[0]

async function play(t: CleanUp, areCopies: boolean, history: readonly Step[]): Promise<void> {
  const idOf = (index: number) => (areCopies && index === 1 ? '1' : `${index + 1}`).repeat(32) as CloneId
  const real = createClones(t, 4, undefined, idOf)
  const clones = real.clones.map((each): HistoryClone => {
    return { real: each, stores: [each.store, each.open(each.cloneId)], views: new Map() }
  })
  const reader = clones.pop() as HistoryClone
  const world: World = {
    ...{ real, clones, remote: new Map(), bundle: new Map(), heads: new Map() },
    ...{ acknowledged: new Map(), dropped: new Set() },
  }
  const log: string[] = []
  const start = turnOn(world, clones[0] as HistoryClone, noStep, id('s0'), 0) as Turn
  begin(start, await start.store.create(start.name, creation), { first: 0, records: [], joins: [] })
  await publish(start, [start.name])()
  for (const clone of clones) await fetch({ ...start, clone, store: clone.stores[0] }, null)()
  try {
    for (const [index, step] of history.entries()) {
      const clone = clones[step.clone] as HistoryClone
      const names = namesOf(clone)
      const turn = turnOn(world, clone, step, names[step.stream % names.length] ?? id('s0'), index)
      const act = acts[step.act] as (typeof acts)[number]
      if (turn.view === null && !act.isAlone) continue
      const run = act.plan(turn as Turn)
      log.push(`${index}: ${act.name}, clone ${step.clone}.${step.process}, ${turn.name} ${JSON.stringify(step)}`)
      if (run === null) continue
      await run()
      await settle(world, clone, clone.stores[step.process])
      for (const store of clone.stores) await checkStream(clone, store, turn.name)
    }
    await agree(world, reader)
  } catch (error) {
    ;(error as Error).message += `\n${areCopies ? 'copies\n' : ''}${log.join('\n')}`
    throw error
  }
}

function turnOn(world: World, clone: HistoryClone, step: Step, name: StreamId, turn: number) {
  const store = clone.stores[step.process]
  return { world, clone, store, step, turn, name, view: newestOf(clone, name) }
}

const noStep: Step = { act: 0, clone: 0, process: 0, stream: 0, other: 0, at: 0, count: 0 }
/** Rounds after which all clones agree. */
const roundsMax = 4

/** All clones publish, fetch and rescue until they agree; then a clone restored from the remote reads the same. */
async function agree(world: World, reader: HistoryClone): Promise<void> {
  for (const clone of world.clones) {
    for (const name of namesOf(clone)) await checkStream(clone, clone.stores[0], name)
    await verifyClone(clone, clone.stores[1])
  }
  for (let round = 0; round < roundsMax; round++) {
    for (const clone of world.clones) {
      const at = (name: StreamId) => turnOn(world, clone, noStep, name, 0) as Turn
      await fetch(at(id('s0')), null)()
      for (const name of namesOf(clone)) {
        await rescue(at(name))()
        const view = newestOf(clone, name)
        if (view !== null && view.head.state === 'live' && isOurs(clone, view)) await clone.stores[0].seal(name)
        await settle(world, clone, clone.stores[0])
      }
      await settle(world, clone, clone.stores[0])
      await publish(at(id('s0')), namesOf(clone))()
      await settle(world, clone, clone.stores[0])
    }
  }
  for (const clone of [...world.clones, reader]) {
    await fetch(turnOn(world, clone, noStep, id('s0'), 0) as Turn, null)()
    await settle(world, clone, clone.stores[0])
    assertAgrees(clone, world)
    for (const store of clone.stores) for (const name of namesOf(clone)) await checkStream(clone, store, name)
    await verifyClone(clone, clone.stores[0])
    assert.deepEqual(clone.real.damage, [])
  }
}
