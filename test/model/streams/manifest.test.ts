import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compareText, formatHex } from '../../../src/model/index.ts'
import {
  type Act,
  decodeManifest,
  encodeManifest,
  type Labels,
  type Manifest,
  nameOfAct,
  nextOffsetOf,
  StreamFormatError,
} from '../../../src/model/streams/index.ts'
import { anyManifest } from './arbitraries.ts'

test('every manifest reads back', () => {
  fc.assert(
    fc.property(anyManifest, (manifest) => {
      assert.deepEqual(decodeManifest(encodeManifest(manifest)), sorted(manifest))
    }),
  )
})

function sorted(manifest: Manifest): Manifest {
  const sort = (labels: Labels) => labels.toSorted(([left], [right]) => compareText(left, right))
  const { lineage, act } = manifest
  const metadata = { ...lineage.metadata, labels: sort(lineage.metadata.labels) }
  const sortedAct = act?.name === 'merge' ? { ...act, evidence: sort(act.evidence) } : act
  return { ...manifest, lineage: { ...lineage, metadata }, act: sortedAct }
}

test('altered bytes are a canonical manifest or a format error', () => {
  fc.assert(
    fc.property(anyManifest, fc.nat(), fc.nat({ max: 255 }), fc.boolean(), (manifest, place, byte, cut) => {
      const bytes = encodeManifest(manifest).slice()
      const at = place % bytes.length
      bytes[at] = byte
      try {
        const read = decodeManifest(cut ? bytes.subarray(0, at) : bytes)
        assert.equal(formatHex(encodeManifest(read)), formatHex(bytes))
      } catch (error) {
        assert.ok(error instanceof StreamFormatError, String(error))
      }
    }),
    { numRuns: 1000 },
  )
})

test('an act of a later version is kept as it is', () => {
  const [manifest] = fc.sample(
    anyManifest.filter(({ content }) => content === null),
    1,
  ) as [Manifest]
  // ["split", 7, [null]]
  const bytes = Uint8Array.of(0x83, 0x65, ...new TextEncoder().encode('split'), 7, 0x81, 0xf6)
  const act: Act = { name: 'unknown', text: 'split', bytes }
  const read = decodeManifest(encodeManifest({ ...manifest, act }))
  assert.deepEqual(read.act, act)
  assert.equal(nameOfAct(act), 'split')
})

const sealing = fc.sample(
  anyManifest.filter(({ content, act }) => content?.kind === 'segment' && act === null),
  1,
)[0] as Manifest
const tombstone: Act = { name: 'tombstone', ts: 1, actor: null, reason: null }
const producer = { id: 'p', sequence: 1, offset: sealing.firstOffset }
const contradictions: readonly (readonly [name: string, change: Partial<Manifest>])[] = [
  ['a peak too few', { peaks: sealing.peaks.slice(1) }],
  ['another number of entries', { entries: 2 ** 50 - 1 }],
  ['records without content', { content: null }],
  ['an act without content', { act: tombstone }],
  ['a producer at the end', { producers: [{ ...producer, offset: nextOffsetOf(sealing) }] }],
  ['a producer twice', { producers: [producer, { ...producer, offset: producer.offset + 1 }] }],
  ['epoch 0', { epoch: { ...sealing.epoch, number: 0 } }],
  ['no commit', { commitCount: 0 }],
  ['an offset above 2^53', { firstOffset: 2 ** 53 - 1 }],
  ['a root with a parent', { lineage: { ...sealing.lineage, kind: 'root', parents: [someParent()] } }],
  ['a branch without parent', { lineage: { ...sealing.lineage, kind: 'branch', parents: [] } }],
]
for (const [name, change] of contradictions) {
  test(`a manifest with ${name} is refused`, () => {
    encodeManifest(sealing)
    assert.throws(() => encodeManifest({ ...sealing, ...change }), StreamFormatError)
  })
}

function someParent() {
  const { streamId, incarnation } = sealing
  return { streamId, incarnation, offset: 0, root: '00'.repeat(32) }
}
