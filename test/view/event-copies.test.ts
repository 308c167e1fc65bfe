import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  type ActorId,
  type Event,
  type IssueId,
  identifyEvent,
  limits,
  type PinnedActor,
} from '../../src/model/index.ts'
import { chooseCopy } from '../../src/view/event-copies.ts'
import { eventCopyKey } from '../../src/view/keys.ts'
import { openMemoryStore } from '../../src/view/store.ts'
import { type Signer, signerFromSeed } from '../../src/wal/index.ts'
import { writeBatch } from '../support/watch-store.ts'

const signer = signerFromSeed('42'.repeat(32)) as Signer

const event = identifyEvent({
  issueId: 'ab'.repeat(16) as IssueId,
  actor: 'cd'.repeat(16) as ActorId,
  tsUnixMs: 1,
  parent: null,
  body: { type: 'IssueCreated', title: 'x', body: '', labels: [] },
})
const pinned: PinnedActor = {
  actor: event.actor,
  label: null,
  keys: [{ publicKey: signer.publicKey, until: null }],
  signsSince: 'always',
}
const genuine = signer.sign(event.eventId)

/** A forged signature that comes before the genuine one. */
function forged(number: number): Uint8Array {
  const sig = new Uint8Array(64)
  new DataView(sig.buffer).setUint32(60, number)
  return sig
}

async function choose(forgeries: number): Promise<Event> {
  const store = await openMemoryStore()
  const sigs = [...Array.from({ length: forgeries }, (_, number) => forged(number)), genuine]
  await writeBatch(
    store,
    sigs.map((sig) => ({ type: 'put', key: eventCopyKey(event.eventId, sig), value: Buffer.alloc(0) })),
  )
  return chooseCopy(store, { ...event, sig: forged(0) }, async () => pinned)
}

describe('copies with several signatures', () => {
  it('a valid signature wins over any number of forged copies', async () => {
    assert.deepEqual((await choose(3)).sig, new Uint8Array(genuine))
  })

  it(`at most ${limits.copiesJudgedMax} copies of an event are judged`, async () => {
    assert.deepEqual((await choose(limits.copiesJudgedMax - 1)).sig, new Uint8Array(genuine))
    assert.deepEqual((await choose(limits.copiesJudgedMax)).sig, forged(0))
  })
})
