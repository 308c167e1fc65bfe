import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatHex } from '../../../src/model/index.ts'
import {
  decodeRecord,
  encodeRecord,
  encodeRow,
  type Incarnation,
  KnownNodes,
  leafOfRecord,
  leafOfRow,
  PeakList,
  type ProofStep,
  parseStreamId,
  pathOf,
  proofDocument,
  rootOfManifest,
  streamLimits,
  verifyProof,
} from '../../../src/model/streams/index.ts'

const records = Array.from({ length: 11 }, (_, index) =>
  encodeRecord({
    tsUnixMs: index,
    writer: null,
    key: null,
    contentType: null,
    headers: [],
    producer: null,
    payload: Uint8Array.of(index),
  }),
)
const stream = { streamId: parseStreamId('p'), incarnation: '0011223344556677' as Incarnation }
const record = records[6] as Uint8Array

/** A step about the entry of a stream with these leaves. */
function stepOf(leaves: readonly Uint8Array[], entry: number, facts: Pick<ProofStep, 'kind' | 'parents'>): ProofStep {
  const peaks = PeakList.empty()
  for (const leaf of leaves) peaks.append(leaf)
  const known = new KnownNodes()
  known.addLeaves(0, leaves)
  const path = pathOf(entry, leaves.length, known)
  return { ...stream, ...facts, entries: leaves.length, peaks: peaks.peaks, found: { entry, path, adopted: null } }
}
const rootOf = (step: ProofStep) => rootOfManifest({ ...step, lineage: { ...step, metadata: noMetadata } })
const noMetadata = { createdTs: 0, actor: null, reason: null, labels: [], retention: null }

const own = stepOf(records.map(leafOfRecord), 6, { kind: 'root', parents: [] })
const inherited: ProofStep = {
  streamId: parseStreamId('child'),
  incarnation: 'ffffffffffffffff' as Incarnation,
  kind: 'branch',
  parents: [{ ...stream, offset: 8, root: formatHex(rootOf(own)) }],
  entries: 0,
  peaks: [],
  found: null,
}
const row = encodeRow({ kind: 'range', source: 0, from: 2, to: 9 })
const sourceRoots = [rootOf(inherited)]
const rowStep = stepOf([leafOfRow(row, sourceRoots)], 0, { kind: 'merge', parents: inherited.parents })
const adopting: ProofStep = {
  ...rowStep,
  streamId: parseStreamId('merged'),
  found: { entry: 0, path: [], adopted: { row, sourceRoots } },
}

const proofs: readonly (readonly [name: string, steps: readonly ProofStep[]])[] = [
  ['an own record', [own]],
  ['an inherited record', [inherited, own]],
  ['an adopted record', [adopting, inherited, own]],
]
for (const [name, steps] of proofs) {
  const [first] = steps as [ProofStep]
  const document = proofDocument({ ...first, offset: 6, steps, record })

  test(`the proof of ${name} is valid`, () => {
    const verdict = verifyProof(JSON.stringify(document))
    assert.ok(verdict.valid)
    assert.equal(verdict.root, formatHex(rootOf(first)))
    assert.deepEqual(verdict.record.payload, Uint8Array.of(6))
  })

  test(`the proof of ${name} is invalid with any digit of a hash changed`, () => {
    const json = JSON.stringify(document)
    for (const { index } of json.matchAll(/(?<=[0-9a-f]{7})[0-9a-f](?=[0-9a-f]{7})/g)) {
      const altered = json.slice(0, index) + (json[index] === '0' ? '1' : '0') + json.slice(index + 1)
      assert.equal(verifyProof(altered).valid, false)
    }
  })

  test(`the proof of ${name} is invalid with another record, entry or a step less`, () => {
    const wrong = [
      { ...document, record: proofDocument({ ...first, offset: 6, steps, record: records[7] as Uint8Array }).record },
      { ...document, steps: document.steps.slice(0, -1) },
      { ...document, steps: document.steps.map((step) => ({ ...step, entry: 3 })) },
      { ...document, stream: 'other' },
      { ...document, schema_version: 2 },
    ]
    for (const one of wrong) assert.equal(verifyProof(JSON.stringify(one)).valid, false)
  })
}

test('an offset from the fork on is not inherited', () => {
  const at = (offset: number) =>
    verifyProof(JSON.stringify(proofDocument({ ...inherited, offset, steps: [inherited, own], record })))
  assert.equal(at(7).valid, true)
  assert.equal(at(8).valid, false)
})

test('an offset is bound by the entries before and after it', () => {
  const at = (offset: number, nextOffset?: number, steps = [own]) => {
    const [first] = steps as [ProofStep]
    return verifyProof(JSON.stringify(proofDocument({ ...first, offset, steps, record })), { nextOffset })
  }
  const offsetsAt = (...facts: Parameters<typeof at>) => {
    const verdict = at(...facts)
    return verdict.valid ? verdict.offsets : verdict.reason
  }
  assert.deepEqual(offsetsAt(6), { from: 6, to: null })
  assert.deepEqual(offsetsAt(6, 11), { from: 6, to: 6 }, 'no entry can have more than one record')
  assert.deepEqual(offsetsAt(8, 13), { from: 6, to: 8 })
  for (const [offset, nextOffset, steps] of [
    [5, undefined],
    [7, 11],
    [5, undefined, [inherited, own]],
  ] as const)
    assert.equal(at(offset, nextOffset, [...(steps ?? [own])]).valid, false, `${offset} of ${nextOffset}`)
})

test('text that is no proof is invalid', () => {
  for (const text of ['', '{}', '[]', '{"schema_version":1,"steps":[]}']) assert.equal(verifyProof(text).valid, false)
})

test('the proof of the largest record is valid', () => {
  const large = encodeRecord({ ...decodeRecord(record), payload: new Uint8Array(streamLimits.recordBytesCeiling) })
  const step = stepOf([leafOfRecord(large)], 0, { kind: 'root', parents: [] })
  assert.ok(verifyProof(JSON.stringify(proofDocument({ ...step, offset: 0, steps: [step], record: large }))).valid)
})
