import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  type ActorId,
  actorCardKey,
  cardInSlot,
  decodeRecord,
  deriveActorId,
  type Event,
  formatActorCard,
  formatHex,
  identifyEvent,
  judgeSignature,
  limits,
  parseHex,
  pinActor,
  projectContextIssueId,
  readCard,
  rotationDigest,
  slotsOfCard,
  type ValidCard,
  whyCardIsIgnored,
} from '../../src/model/index.ts'
import { signerFromSeed, verifySignature } from '../../src/wal/index.ts'
import { cardActor, standingCard } from './arbitraries.ts'

interface VectorRecord {
  readonly event_id: string
  readonly record: string
  readonly counts?: boolean
  readonly verdict?: string
}

interface Scenario {
  readonly title: string
  readonly actor: ActorId
  readonly cards: readonly VectorRecord[]
  readonly keys: readonly string[]
  readonly label: string | null
  readonly events: readonly VectorRecord[]
}

const vectors = JSON.parse(readFileSync(new URL('../vectors/actor-cards.json', import.meta.url), 'utf8'))

function eventOf({ event_id, record }: VectorRecord): Event {
  const decoded = decodeRecord(parseHex(record) as Uint8Array)
  if (!('event' in decoded)) throw new TypeError(decoded.damaged.reason)
  assert.equal(decoded.event.eventId, event_id)
  return decoded.event
}

function standingIn(cards: readonly VectorRecord[], actor: ActorId): ValidCard[] {
  return cards
    .map((card) => readCard(eventOf(card), verifySignature))
    .flatMap((reading) => ('card' in reading && reading.card.version.actor === actor ? [reading.card] : []))
}

describe('actor card vectors', () => {
  it('keys, actor ids and digests match the vectors', () => {
    for (const { seed, public_key, actor } of vectors.keys) {
      assert.equal(signerFromSeed(seed)?.publicKey, public_key)
      assert.equal(deriveActorId(public_key), actor)
    }
    const { actor, previous_key, public_key, digest, rotation } = vectors.rotation
    assert.equal(rotationDigest(actor, previous_key, public_key), digest)
    assert.equal(formatHex(signerFromSeed(vectors.keys[1].seed)?.sign(digest) as Uint8Array), rotation)
  })

  for (const { title, actor, cards, keys, label, events } of vectors.scenarios as readonly Scenario[]) {
    it(`a vector scenario pins its actor: ${title}`, () => {
      const pinned = pinActor(actor, standingIn(cards, actor))
      assert.deepEqual(
        pinned.keys.map(({ publicKey }) => publicKey),
        keys,
      )
      assert.equal(pinned.label, label)
      assert.deepEqual(pinActor(actor, standingIn(cards, actor).reverse()), pinned)
      for (const card of cards) {
        const reading = readCard(eventOf(card), verifySignature)
        const problem = 'card' in reading ? whyCardIsIgnored(reading.card, pinned) : reading.problem
        assert.equal(problem === null, card.counts, problem ?? 'it counts')
      }
      for (const each of events) {
        assert.equal(judgeSignature(eventOf(each), pinned, verifySignature), each.verdict, each.event_id)
      }
    })
  }
})

describe('actor cards', () => {
  const actor = 'ab'.repeat(16) as ActorId
  const read = (value: string) =>
    readCard(
      identifyEvent({
        issueId: projectContextIssueId,
        actor,
        tsUnixMs: 1,
        parent: null,
        body: { type: 'ProjectContextUpdated', key: actorCardKey(actor), value },
      }),
      verifySignature,
    )

  it('a card is read back as written', () => {
    const written = formatActorCard({ label: 'Änn "x"', publicKey: null, rotation: null })
    const reading = read(written)
    assert.equal('card' in reading && reading.card.label, 'Änn "x"')
  })

  it('a card leaves out an overlong label', () => {
    const value = (label: string) => formatActorCard({ label, publicKey: null, rotation: null })
    assert.equal(value('é'.repeat(128)), `{"label":"${'é'.repeat(128)}"}`)
    for (const label of ['é'.repeat(129), '', '\ud800']) assert.equal(value(label), '{}')
  })

  it('a card is read up to 4,096 bytes', () => {
    const value = (bytes: number) => `{"pad":"${'é'.repeat((bytes - 10) / 2)}"}`
    assert.ok('card' in read(value(limits.actorCardBytesMax)))
    assert.deepEqual(read(value(limits.actorCardBytesMax + 2)), { problem: 'is larger than 4096 bytes' })
  })

  it('any text is read or refused without a failure', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.constantFrom('null', '{"__proto__":1}')), (value) => {
        const reading = read(value)
        assert.ok('problem' in reading || reading.card.publicKey === null)
      }),
    )
  })
})

describe('keys of an actor', () => {
  it('an actor’s keys do not depend on card order', () => {
    fc.assert(
      fc.property(fc.array(standingCard, { maxLength: 12 }), fc.infiniteStream(fc.nat()), (cards, picks) => {
        const rest = [...cards, ...cards.slice(0, 3)]
        const shuffled: ValidCard[] = []
        while (rest.length > 0) shuffled.push(...rest.splice((picks.next().value as number) % rest.length, 1))
        assert.deepEqual(pinActor(cardActor, shuffled), pinActor(cardActor, cards))
      }),
    )
  })

  it('an actor’s keys are bounded for any chain of rotations', () => {
    const actor = 'ab'.repeat(16) as ActorId
    const key = (number: number) => number.toString(16).padStart(64, '0')
    const cards = Array.from({ length: 1500 }, (_, index): ValidCard => {
      const version = { tsUnixMs: index, actor, eventId: key(index) as Event['eventId'] }
      return { version, label: null, publicKey: key(index), previousKey: index === 0 ? null : key(index - 1) }
    })
    const { keys } = pinActor(actor, cards)
    assert.equal(keys.length, limits.actorKeysMax)
    assert.equal(keys.at(-1)?.until, null)
  })

  it('a slot keeps the same card in any order', () => {
    fc.assert(
      fc.property(standingCard, standingCard, standingCard, (one, two, three) => {
        for (const slot of slotsOfCard(one)) {
          const pick = (...cards: ValidCard[]) =>
            cards.reduce<ValidCard | undefined>((left, right) => cardInSlot(slot, left, right), undefined)
          assert.deepEqual(pick(one, two, three), pick(three, two, one))
          assert.deepEqual(pick(one, two, three), pick(two, one, three, one))
        }
      }),
    )
  })
})
