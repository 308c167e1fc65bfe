import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  appendSubtrees,
  checkPath,
  KnownNodes,
  leafOfRecord,
  nodeOf,
  PeakList,
  pathOf,
  StreamFormatError,
  subtreesOf,
} from '../../../src/model/streams/index.ts'

const leafCount = 300
const leaves = Array.from({ length: leafCount }, (_, index) => leafOfRecord(Uint8Array.of(index >> 8, index)))
/** Peaks after each number of entries, leaf by leaf. */
const peaksAfter = [PeakList.empty().peaks]
const growing = PeakList.empty()
for (const leaf of leaves) {
  growing.append(leaf)
  peaksAfter.push(growing.peaks)
}
const peaksOf = (entries: number) => peaksAfter[entries] ?? []
const [a, b, c, d] = leaves as [Uint8Array, Uint8Array, Uint8Array, Uint8Array]

test('an appended leaf joins peaks of the same size', () => {
  assert.deepEqual(peaksOf(0), [])
  assert.deepEqual(peaksOf(2), [nodeOf(a, b)])
  assert.deepEqual(peaksOf(3), [nodeOf(a, b), c])
  assert.deepEqual(peaksOf(4), [nodeOf(nodeOf(a, b), nodeOf(c, d))])
})

test('appending subtrees of commits gives the peaks of their leaves', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 5 })
  fc.assert(
    fc.property(sizes, (counts) => {
      let peaks = PeakList.empty()
      for (const count of counts) {
        const first = peaks.entries
        appendSubtrees(peaks, first, count, subtreesOf(first, leaves.slice(first, first + count)))
        assert.deepEqual(peaks.peaks, peaksOf(first + count))
        peaks = PeakList.of(peaks.entries, peaks.peaks)
      }
    }),
  )
})

test('subtrees of another range are refused', () => {
  const subtrees = subtreesOf(3, leaves.slice(3, 8))
  assert.equal(subtrees.length, 2)
  appendSubtrees(PeakList.of(3, peaksOf(3)), 3, 5, subtrees)
  assert.throws(() => appendSubtrees(PeakList.of(2, peaksOf(2)), 3, 5, subtrees), StreamFormatError)
  assert.throws(() => appendSubtrees(PeakList.of(3, peaksOf(3)), 3, 6, subtrees), StreamFormatError)
  assert.throws(() => PeakList.of(3, peaksOf(2)), StreamFormatError)
})

test('every path of small trees checks', () => {
  for (let entries = 1; entries <= 20; entries++) {
    const known = new KnownNodes()
    known.addLeaves(0, leaves.slice(0, entries))
    for (let entry = 0; entry < entries; entry++) {
      const path = pathOf(entry, entries, known)
      const isIn = (at: number, leaf: Uint8Array) => checkPath(leaf, at, entries, path, peaksOf(entries))
      for (let at = -1; at <= entries; at++) assert.equal(isIn(at, leaves[entry] as Uint8Array), at === entry)
      assert.equal(isIn(entry, leaves[entry + 1] as Uint8Array), false)
    }
  }
})

test('a path follows from the leaves of one commit, the peaks before it and the subtrees behind it', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(sizes, fc.nat(), fc.nat(), (counts, chosen, place) => {
      const known = new KnownNodes()
      const own = chosen % counts.length
      let entries = 0
      let entry = 0
      for (const [index, count] of counts.entries()) {
        const range = leaves.slice(entries, entries + count)
        if (index === own) {
          known.addPeaks(entries, peaksOf(entries))
          known.addLeaves(entries, range)
          entry = entries + (place % count)
        }
        if (index > own) known.addSubtrees(entries, count, subtreesOf(entries, range))
        entries += count
      }
      const path = pathOf(entry, entries, known)
      assert.ok(checkPath(leaves[entry] as Uint8Array, entry, entries, path, peaksOf(entries)))
    }),
  )
})

test('no altered path checks', () => {
  const known = new KnownNodes()
  known.addLeaves(0, leaves)
  fc.assert(
    fc.property(fc.nat({ max: 255 }), fc.nat(), fc.integer({ min: 1, max: 255 }), (entry, place, flip) => {
      const path = pathOf(entry, leafCount, known)
      const check = (altered: readonly Uint8Array[]) =>
        checkPath(leaves[entry] as Uint8Array, entry, leafCount, altered, peaksOf(leafCount))
      assert.ok(check(path))
      const altered = path.map((node) => node.slice())
      const node = altered[place % altered.length] as Uint8Array
      node[place % node.length] = (node[place % node.length] as number) ^ flip
      assert.equal(check(altered), false)
      assert.equal(check(path.slice(1)), false)
      assert.equal(check([...path, a]), false)
    }),
  )
})

test('an unknown node is named', () => {
  const known = new KnownNodes()
  known.addLeaves(0, leaves.slice(0, 4))
  assert.throws(() => pathOf(0, 8, known), /the node of entries 4 to 7 is not known/)
})
