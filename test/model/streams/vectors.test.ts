/** Bytes and hashes that test/vectors/make_streams.py derives from docs/format.md, without our code. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { formatHex, parseHex } from '../../../src/model/index.ts'
import {
  appendSubtrees,
  bytesOfHex,
  checkpointDigest,
  commitMessage,
  decodeManifest,
  decodeRecord,
  encodeManifest,
  encodeRecord,
  encodeRow,
  encodeSegment,
  leafOfRecord,
  leafOfRow,
  lineageDigest,
  PeakList,
  parseTrailers,
  rootOf,
  rootOfManifest,
  SegmentRecords,
  subtreesOf,
} from '../../../src/model/streams/index.ts'

const vectors = JSON.parse(readFileSync(new URL('../../vectors/streams.json', import.meta.url), 'utf8'))

/** Plain data with bytes as hex, as in the file. */
function withHex(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, member) => (member instanceof Uint8Array ? formatHex(member) : member)))
}
const bytes = (hex: string) => parseHex(hex) as Uint8Array

for (const { name, record, bytes: stored, leaf } of vectors.records) {
  test(`the ${name} record has the published bytes and leaf`, () => {
    const decoded = decodeRecord(bytes(stored))
    assert.deepEqual(withHex(decoded), record)
    assert.equal(formatHex(encodeRecord(decoded)), stored)
    assert.equal(formatHex(leafOfRecord(bytes(stored))), leaf)
  })
}

test('trees of 0 to 9 entries have the published peaks and roots', () => {
  const leaves: Uint8Array[] = vectors.leaves.map(({ leaf }: { leaf: string }) => bytes(leaf))
  const growing = PeakList.empty()
  for (const { entries, peaks, root } of vectors.trees.sizes) {
    assert.deepEqual(withHex(growing.peaks), peaks)
    assert.equal(formatHex(rootOf(bytes(vectors.trees.lineageDigest), entries, growing.peaks)), root)
    const whole = PeakList.empty()
    appendSubtrees(whole, 0, entries, subtreesOf(0, leaves.slice(0, entries)))
    assert.deepEqual(withHex(whole.peaks), peaks)
    growing.append(leaves[entries] ?? new Uint8Array(32))
  }
  assert.equal(vectors.trees.sizes.length, 10)
})

test('lineages have the published digests', () => {
  const { streamId, incarnation, digests } = vectors.lineages
  for (const { kind, parents, digest } of digests)
    assert.equal(formatHex(lineageDigest(streamId, incarnation, { kind, parents })), digest)
})

test('rows have the published bytes and leaves', () => {
  for (const { row, bytes: encoded, sourceRoots, leaf } of vectors.rows) {
    assert.equal(formatHex(encodeRow(row)), encoded)
    assert.equal(formatHex(leafOfRow(bytes(encoded), sourceRoots.map(bytesOfHex))), leaf)
  }
})

test('a segment has the published bytes and index', () => {
  const { records, raw, index } = vectors.segment
  assert.deepEqual(withHex(encodeSegment(records.map(bytesOfHex))), { raw, index })
  assert.deepEqual(withHex(SegmentRecords.cut(bytes(raw), bytes(index)).all()), records)
})

for (const { name, manifest, bytes: encoded, root } of vectors.manifests) {
  test(`the manifest of ${name} has the published bytes and root`, () => {
    const decoded = decodeManifest(bytes(encoded))
    assert.deepEqual(withHex(decoded), manifest)
    assert.equal(formatHex(encodeManifest(decoded)), encoded)
    assert.equal(formatHex(rootOfManifest(decoded)), root)
  })
}

test('a checkpoint signs the published digest', () => {
  const { parent, digest, ...facts } = vectors.checkpoint
  const { bytes: encoded } = vectors.manifests.find(({ name }: { name: string }) => name === parent)
  assert.equal(formatHex(checkpointDigest(decodeManifest(bytes(encoded)), facts)), digest)
})

test('a message has the published trailers', () => {
  const { facts, message } = vectors.message
  assert.equal(commitMessage({ ...facts, root: bytes(facts.root) }), message)
  assert.deepEqual(parseTrailers(message), facts)
})
