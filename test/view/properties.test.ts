import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  deriveContextIssueId,
  type Event,
  formatHex,
  type IssueId,
  identifyEvent,
  projectContextIssueId,
  type Sha256Hex,
} from '../../src/model/index.ts'
import type { Signer } from '../../src/wal/index.ts'
import { issueEvent } from '../model/arbitraries.ts'
import { boundActor, cardEvent, garbage, signed, signerOf } from '../support/cards.ts'
import { batchOf, dumpStore, makeEvent, openTestView, segmentOf } from '../support/log.ts'

const issues = ['5a'.repeat(16), '5b'.repeat(16)] as IssueId[]
const moment = fc.integer({ min: 1, max: 6 })

const contextEvent: fc.Arbitrary<Event> = fc
  .record({
    path: fc.constantFrom('a.ts', 'a.ts\0'),
    names: fc.subarray(['f', 'g', 'h']),
    ts: moment,
    actor: fc.constantFrom('00'.repeat(16), 'ff'.repeat(16)),
  })
  .map(({ path, names, ts, actor }) =>
    identifyEvent({
      issueId: deriveContextIssueId(path),
      actor: actor as Event['actor'],
      tsUnixMs: ts,
      parent: null,
      body: {
        type: 'ContextUpdated',
        path,
        language: 'ts',
        symbols: names.map((name) => ({ name, kind: 'f', lineStart: 1, lineEnd: 1 })),
        summary: '',
        content_hash: 'c'.repeat(64) as Sha256Hex,
      },
    }),
  )

const projectEvent: fc.Arbitrary<Event> = fc
  .record({ key: fc.constantFrom('k', 'l'), value: fc.constantFrom('1', '2'), ts: moment })
  .map(({ key, value, ts }) =>
    identifyEvent({
      issueId: projectContextIssueId,
      actor: '00'.repeat(16) as Event['actor'],
      tsUnixMs: ts,
      parent: null,
      body: { type: 'ProjectContextUpdated', key, value },
    }),
  )

const signers = [1, 2].map(signerOf) as [Signer, Signer]
const cardActors = [boundActor(signers[0]), 'ff'.repeat(16) as Event['actor']]

/** Cards and comments of two actors that share two keys, so that first keys and rotations compete. */
const actorEvent: fc.Arbitrary<Event> = fc
  .record({
    actor: fc.constantFrom(...cardActors),
    key: fc.constantFrom(...signers),
    previous: fc.option(fc.constantFrom(...signers), { nil: undefined }),
    label: fc.constantFrom('ann', 'Ann'),
    ts: moment,
    isCard: fc.boolean(),
  })
  .map(({ isCard, previous, ...card }) => {
    if (isCard) return cardEvent({ ...card, ...(previous === undefined ? {} : { previous }) })
    const { actor, label, ts, key } = card
    return signed(makeEvent(issues[0] as IssueId, { type: 'CommentAdded', body: label }, { actor, ts }), key)
  })

const anyEvent: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(issueEvent, fc.constantFrom(...issues))
      .map(([{ eventId: _eventId, sig: _sig, ...facts }, issueId]) => identifyEvent({ ...facts, issueId })),
  },
  { weight: 1, arbitrary: contextEvent },
  { weight: 1, arbitrary: projectEvent },
  { weight: 4, arbitrary: actorEvent },
)

/** Signature of a copy in place of the original; undefined keeps the original. */
const signature = fc.constantFrom(undefined, undefined, null, garbage(1), garbage(254), new Uint8Array([9]))

interface Step {
  /** Copies of events that one commit holds. */
  readonly commits: readonly (readonly Event[])[]
}

/** The same copies of events, arriving in one order and partition. */
const arrival = (copies: readonly Event[]): fc.Arbitrary<readonly Step[]> =>
  fc
    .tuple(
      fc.shuffledSubarray([...copies], { minLength: copies.length }),
      fc.array(fc.record({ endsCommit: fc.boolean(), endsStep: fc.boolean() }), {
        minLength: copies.length,
        maxLength: copies.length,
      }),
    )
    .map(([order, cuts]) => {
      const steps: Event[][][] = [[[]]]
      for (const [index, event] of order.entries()) {
        steps.at(-1)?.at(-1)?.push(event)
        if (cuts[index]?.endsStep) steps.push([[]])
        else if (cuts[index]?.endsCommit) steps.at(-1)?.push([])
      }
      return steps
        .map((commits) => ({ commits: commits.filter((events) => events.length > 0) }))
        .filter(({ commits }) => commits.length > 0)
    })

const histories = fc
  .array(fc.tuple(anyEvent, fc.array(signature, { minLength: 1, maxLength: 3 })), { minLength: 1, maxLength: 25 })
  .map((rows) => rows.flatMap(([event, sigs]) => sigs.map((sig) => (sig === undefined ? event : { ...event, sig }))))
  .chain((copies) => fc.tuple(arrival(copies), arrival(copies)))

async function foldSteps(steps: readonly Step[], reopens: boolean): Promise<Record<string, string>> {
  const first = await openTestView()
  const { store } = first
  let view = first
  let number = 0
  for (const { commits } of steps) {
    // Each catch-up runs as in a fresh process, without caches.
    if (reopens) view = await openTestView(store)
    const segments = commits.map((events) => segmentOf(batchOf(events), (++number).toString(16).padStart(40, '0')))
    await view.apply(segments, number.toString(16).padStart(40, '0'))
    await view.flush()
  }
  const dump = await dumpStore(store)
  // The copy that is read must be the same, too.
  for await (const { eventId, sig } of view.allEvents()) dump[`read ${eventId}`] = sig === null ? '' : formatHex(sig)
  const counted = [view.eventCount, view.issueCount]
  const shown = Object.keys(dump).filter((key) => key.startsWith('issue_row/')).length
  assert.deepEqual(counted, [Object.keys(dump).filter((key) => key.startsWith('event/')).length, shown])
  await store.close()
  return dump
}

test('arrival order, duplicates and partition change nothing in the store', async (t) => {
  const seed = Number(process.env.FC_SEED ?? Date.now() % 0x7fff_ffff)
  t.diagnostic(`seed ${seed}`)
  await fc.assert(
    fc.asyncProperty(histories, async ([one, other]) => {
      const whole = await foldSteps([{ commits: one.flatMap(({ commits }) => commits) }], false)
      assert.deepEqual(await foldSteps(one, true), whole)
      assert.deepEqual(await foldSteps(other, true), whole)
      assert.deepEqual(await foldSteps(other, false), whole)
    }),
    { numRuns: 60, seed },
  )
})
