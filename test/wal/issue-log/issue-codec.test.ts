import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type CommitEntry, hashObject, type Oid } from '../../../src/git/index.ts'
import { limits } from '../../../src/model/index.ts'
import { generateKeyPair, issueCodec, signerFromSeed, verifySignature } from '../../../src/wal/index.ts'
import { actors, batchOf, creation, filesOf, issueId, makeEvent, segmentOf } from '../../support/log.ts'

const a = issueId('a0')

describe('log commits', () => {
  it('a log commit has the published files, message and meta.json', () => {
    const event = makeEvent(a, { type: 'CommentAdded', body: 'x' }, { ts: Date.UTC(2024, 1, 29, 23, 59) })
    const { files, message, identity } = issueCodec.encode(batchOf([event]), ['b'.repeat(40) as Oid])
    const [meta, chunk, ...others] = [...files]
    assert.deepEqual(others, [])
    assert.match(chunk?.[0] ?? '', /^events\/2024\/02\/29\/[0-9a-f]{64}\.bin$/)
    const hash = chunk?.[0].slice(-68, -4)
    assert.equal(
      Buffer.from(meta?.[1] as Uint8Array).toString(),
      `{\n  "schema_version": 1,\n  "actor_id": "${actors[0]}",\n  "chunk_hash": "${hash}",\n  "prev_wal": "${'b'.repeat(40)}"\n}`,
    )
    assert.equal(message, `WAL: 1 events from ${actors[0].slice(0, 8)}`)
    assert.deepEqual(identity, { name: 'grite', email: 'grit@local' })
  })

  it('an event of an impossible year is filed under the commit’s day', () => {
    for (const ts of [Number.MAX_SAFE_INTEGER, 253_402_300_800_000]) {
      const event = makeEvent(a, { type: 'CommentAdded', body: 'x' }, { ts })
      const path = [...filesOf(batchOf([event]), null).keys()].find((name) => name.endsWith('.bin'))
      assert.match(path ?? '', /^events\/2023\/11\/14\//)
    }
  })

  it('an encoded batch decodes to its events without problems', () => {
    const events = [creation(a), makeEvent(a, { type: 'LabelAdded', label: 'x' })]
    const segment = segmentOf(batchOf(events, { meta: { requests: ['r'] } }), 'c'.repeat(40))
    assert.deepEqual(
      segment.items.map(({ event }) => event),
      events,
    )
    assert.deepEqual(segment.problems, [])
    assert.deepEqual(segment.carries.requests, ['r'])
  })

  it('every .bin file at any depth is read as a chunk', () => {
    const [one, two] = [creation(a), creation(issueId('b0'))]
    const chunkOf = (event: typeof one) => {
      const [path, content] = [...filesOf(batchOf([event]), null)].find(([name]) => name.endsWith('.bin')) as [
        string,
        Uint8Array,
      ]
      return { name: path.slice(-68), content: Buffer.from(content) }
    }
    const file = (path: string, content: Buffer) => ({
      path,
      mode: '100644',
      oid: hashObject('sha1', 'blob', content),
      content,
      problem: null,
    })
    const entry: CommitEntry = {
      oid: 'e'.repeat(40) as Oid,
      parents: [],
      committedAtUnixSeconds: 0,
      message: '',
      problem: null,
      gaps: [],
      files: [
        file(chunkOf(one).name, chunkOf(one).content),
        file(`deep/er/${chunkOf(two).name}`, chunkOf(two).content),
        file('events/2023/notes.txt', Buffer.from('no chunk')),
      ],
    }
    const segment = issueCodec.decode(entry)
    assert.deepEqual(
      segment.items.map(({ event }) => event),
      [one, two],
    )
    assert.deepEqual([...segment.extras.keys()], ['events/2023/notes.txt'])
    assert.deepEqual(
      segment.problems.map(({ reason }) => reason),
      ['meta.json is missing'],
    )
  })

  it('a problem reason is cut to its maximum length', () => {
    const name = 'n'.repeat(2 * limits.problemLengthMax)
    const entry: CommitEntry = {
      oid: 'e'.repeat(40) as Oid,
      parents: [],
      committedAtUnixSeconds: 0,
      message: '',
      problem: `a path is strange: ${name}`,
      gaps: [],
      files: [],
    }
    const [problem] = issueCodec.decode(entry).problems
    assert.equal(problem?.reason.length, limits.problemLengthMax)
  })

  it('links, submodules and missing files are no extension files', () => {
    const oid = 'd'.repeat(40) as Oid
    const content = Buffer.from('x')
    const files = [
      { path: 'ext/good', mode: '100644', oid, content, problem: null },
      { path: 'ext/link', mode: '120000', oid, content, problem: null },
      { path: 'ext/module', mode: '160000', oid, content: null, problem: 'missing' },
      { path: 'ext/gone', mode: '100644', oid, content: null, problem: 'missing' },
    ] as const
    const segment = issueCodec.decode({
      oid,
      parents: [],
      committedAtUnixSeconds: 0,
      message: '',
      problem: null,
      gaps: [],
      files,
    })
    assert.deepEqual([...segment.extras.keys()], ['ext/good'])
  })
})

describe('event signatures', () => {
  it('a signature verifies only with its key over its event', () => {
    const keys = generateKeyPair()
    const event = creation(a)
    const sig = signerFromSeed(keys.seedHex)?.sign(event.eventId) as Uint8Array
    assert.equal(sig.length, 64)
    assert.equal(verifySignature(event.eventId, sig, keys.publicKeyHex), true)
    assert.equal(verifySignature(creation(a).eventId, sig, keys.publicKeyHex), false)
    assert.equal(verifySignature(event.eventId, sig, generateKeyPair().publicKeyHex), false)
    assert.equal(verifySignature(event.eventId, sig.subarray(1), keys.publicKeyHex), false)
    for (const key of ['', 'zz', keys.publicKeyHex.slice(2), `${keys.publicKeyHex}00`]) {
      assert.equal(verifySignature(event.eventId, sig, key), false)
    }
  })

  it('a malformed seed yields no signer', () => {
    assert.notEqual(signerFromSeed('11'.repeat(32)), undefined)
    for (const seed of ['', '11'.repeat(31), `${'11'.repeat(31)}zz`]) assert.equal(signerFromSeed(seed), undefined)
  })
})
