/** Random events for property tests. Small pools of ids and words, so that collisions and ties are common. */
import fc from 'fast-check'
import {
  type ActorId,
  blake2b256,
  dependencyTypes,
  deriveActorId,
  type Event,
  type EventBody,
  type EventFacts,
  type EventId,
  formatHex,
  type IssueId,
  identifyEvent,
  issueStates,
  type Sha256Hex,
  type ValidCard,
} from '../../src/model/index.ts'
import { anyCharacter } from '../support/any-character.ts'

/** Well-formed text with everything that sorts or encodes oddly: surrogate pairs, U+E000-U+FFFF, controls. */
export const text = fc.oneof(
  fc.string({ unit: anyCharacter, maxLength: 12 }),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.string({
    unit: fc.constantFrom('a', 'z', 'é', '\ud7ff', '\ue000', '\uffff', '😀', '\u{10ffff}', '\0'),
    maxLength: 4,
  }),
)

function hexOf<Id extends string>(length: number): fc.Arbitrary<Id> {
  return fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => formatHex(bytes) as Id)
}

const sha256 = hexOf<Sha256Hex>(32)
const anyIssueId = hexOf<IssueId>(16)
const u32 = fc.oneof(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 0xffff_ffff }))
const symbol = fc
  .record({ name: text, kind: fc.constantFrom('f', 'c'), lineStart: u32, lineEnd: u32 })
  .map((one) => ({ ...one }))

/** A body of any kind with any content. */
export const anyBody: fc.Arbitrary<EventBody> = fc.oneof(
  fc.record({ type: fc.constant('IssueCreated' as const), title: text, body: text, labels: fc.array(text) }),
  fc.record({ type: fc.constant('IssueUpdated' as const), title: fc.option(text), body: fc.option(text) }),
  fc.record({ type: fc.constant('CommentAdded' as const), body: text }),
  fc.record({ type: fc.constantFrom('LabelAdded' as const, 'LabelRemoved' as const), label: text }),
  fc.record({ type: fc.constant('StateChanged' as const), state: fc.constantFrom(...issueStates) }),
  fc.record({ type: fc.constant('LinkAdded' as const), url: text, note: fc.option(text) }),
  fc.record({ type: fc.constantFrom('AssigneeAdded' as const, 'AssigneeRemoved' as const), user: text }),
  fc.record({ type: fc.constant('AttachmentAdded' as const), name: text, sha256, mime: text }),
  fc.record({
    type: fc.constantFrom('DependencyAdded' as const, 'DependencyRemoved' as const),
    target: anyIssueId,
    dep_type: fc.constantFrom(...dependencyTypes),
  }),
  fc.record({
    type: fc.constant('ContextUpdated' as const),
    path: text,
    language: text,
    symbols: fc.array(symbol, { maxLength: 5 }),
    summary: text,
    content_hash: sha256,
  }),
  fc.record({ type: fc.constant('ProjectContextUpdated' as const), key: text, value: text }),
)

/** Times at every CBOR width, and on both sides of its boundaries. */
export const anyTime = fc.oneof(
  fc.constantFrom(0, 23, 24, 255, 256, 65535, 65536, 0xffff_ffff, 0x1_0000_0000, Number.MAX_SAFE_INTEGER),
  fc.maxSafeNat(),
)

/** Any event with a true id, signed or not. */
export const anyEvent: fc.Arbitrary<Event> = fc
  .record({
    issueId: anyIssueId,
    actor: hexOf<ActorId>(16),
    tsUnixMs: anyTime,
    parent: fc.option(hexOf<EventId>(32)),
    body: anyBody,
    sig: fc.option(fc.uint8Array({ maxLength: 80 })),
  })
  .map(({ sig, ...facts }) => ({ ...identifyEvent(facts), sig }))

/** The one issue that `issueEvent` is about. */
export const theIssue = '5a'.repeat(16) as IssueId
const actors = ['00'.repeat(16), '7f'.repeat(16), 'ff'.repeat(16)] as ActorId[]
const targets = ['01'.repeat(16), '02'.repeat(16)] as IssueId[]
const words = ['a', 'b', '', '\ue000', '😀', 'priority:P0', 'priority:P1', 'priority:high', 'type:bug', 'type:']

const issueBody: fc.Arbitrary<EventBody> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('IssueCreated' as const),
      title: fc.constantFrom('t', 'u'),
      body: fc.constantFrom('', 'x'),
      labels: fc.subarray(words),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('IssueUpdated' as const),
      title: fc.option(fc.constantFrom('v', 'w')),
      body: fc.option(fc.constantFrom('', 'y')),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('StateChanged' as const), state: fc.constantFrom(...issueStates) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constantFrom('LabelAdded' as const, 'LabelRemoved' as const),
      label: fc.constantFrom(...words),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constantFrom('AssigneeAdded' as const, 'AssigneeRemoved' as const),
      user: fc.constantFrom('ann', 'bo'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constantFrom('DependencyAdded' as const, 'DependencyRemoved' as const),
      target: fc.constantFrom(...targets),
      dep_type: fc.constantFrom(...dependencyTypes),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('CommentAdded' as const), body: fc.constantFrom('c', 'd') }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('LinkAdded' as const), url: fc.constant('u'), note: fc.constant(null) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('AttachmentAdded' as const),
      name: fc.constant('n'),
      sha256: fc.constant('00'.repeat(32) as Sha256Hex),
      mime: fc.constant('m'),
    }),
  },
)

/** An event of `theIssue`, at one of few moments by one of few actors. */
export const issueEvent: fc.Arbitrary<Event> = fc
  .record({
    issueId: fc.constant(theIssue),
    actor: fc.constantFrom(...actors),
    tsUnixMs: fc.integer({ min: 1, max: 6 }),
    parent: fc.constant(null),
    body: issueBody,
  })
  .map((facts: EventFacts) => identifyEvent(facts))

/** A history of `theIssue` in arrival order: copies, creations late, repeated or missing. */
export const issueHistory = fc
  .array(issueEvent, { maxLength: 25 })
  .chain((events) => fc.tuple(fc.constant(events), fc.subarray(events)))
  .chain(([events, copies]) =>
    fc.shuffledSubarray([...events, ...copies], { minLength: events.length + copies.length }),
  )

const cardKeys = ['aa', 'bb', 'cc', 'dd'].map((byte) => byte.repeat(32))
/** Made with the second key of the cards below. */
export const cardActor = deriveActorId(cardKeys[1] as string)

/** A card of `cardActor`. Keys are few, so that rotations meet, branch and turn in circles. */
export const standingCard: fc.Arbitrary<ValidCard> = fc
  .record({
    tsUnixMs: fc.integer({ min: 1, max: 6 }),
    label: fc.constantFrom(null, 'a', 'b'),
    publicKey: fc.option(fc.constantFrom(...cardKeys), { freq: 6 }),
    previousKey: fc.option(fc.constantFrom(...cardKeys), { freq: 2 }),
  })
  .filter(({ publicKey, previousKey }) => publicKey !== previousKey || publicKey === null)
  .map(({ tsUnixMs, label, publicKey, previousKey }) => {
    const said = { label, publicKey, previousKey: publicKey === null ? null : previousKey }
    const eventId = formatHex(blake2b256(new TextEncoder().encode(JSON.stringify([tsUnixMs, said])))) as EventId
    return { version: { tsUnixMs, actor: cardActor, eventId }, ...said }
  })
