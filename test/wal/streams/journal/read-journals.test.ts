import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listJournals, readJournals } from '../../../../src/wal/streams/journal/index.ts'
import { failure, journalFolder } from '../../../support/memory-journal-disk.ts'
import { newDisk, openWriter, readTexts, record } from './journals.ts'

/** A journal with a closed file and an open one, five records in four frames. */
async function smallJournal() {
  const { disk, place } = newDisk()
  const writer = await openWriter(place)
  await writer.append([[record('a')], [record('b'), record('c')]], { flush: true })
  await writer.close('seal')
  await writer.append([[record('d')], [record('e')]], { flush: true })
  writer.dispose()
  const [first = '', second = ''] = [...disk.files.keys()].sort()
  return { disk, place, first, second }
}

const texts = ['0 a', '1 b', '2 c', '3 d', '4 e']

test('no bit flip hides more than its frame', async () => {
  const { disk, place, first, second } = await smallJournal()
  for (const path of [first, second]) {
    const whole = disk.contentOf(path)
    for (let index = 0; index < whole.length; index++) {
      const bytes = whole.slice()
      bytes[index] = (bytes[index] as number) ^ (1 << (index % 8))
      disk.overwrite(path, bytes)
      const state = readJournals(place)
      const found = readTexts(place)
      assert.ok(found.length >= 3, `byte ${index} of ${path}`)
      for (const text of found) assert.ok(texts.includes(text))
      const reported = [...state.damage, ...state.files.flatMap(({ path, rest }) => (rest ? [{ path, ...rest }] : []))]
      assert.ok(
        reported.some((damage) => damage.path === path && damage.start <= index && index < damage.end),
        `byte ${index} of ${path}`,
      )
      // Lost offsets are named, unless the newest frame is damaged.
      const lost = state.damage.flatMap(({ lost }) => (lost === null ? [] : [lost]))
      const missing = texts.filter((text) => !found.includes(text)).map((text) => Number(text[0]))
      const named = missing.filter((offset) => lost.some(({ from, to }) => from <= offset && offset < to))
      assert.deepEqual(
        named,
        missing.filter((offset) => offset !== 4),
      )
      state.close()
    }
    disk.overwrite(path, whole)
  }
})

test('every cut of the last file leaves whole batches', async () => {
  const { disk, place, second } = await smallJournal()
  const whole = disk.contentOf(second)
  for (let size = 0; size < whole.length; size++) {
    disk.overwrite(second, whole.slice(0, size))
    const found = readTexts(place)
    assert.deepEqual(found, texts.slice(0, found.length))
    assert.ok(found.length >= 3)
  }
})

test('a file that the next one follows ends although its closed frame is lost', async () => {
  const { disk, place, first } = await smallJournal()
  const bytes = disk.contentOf(first).slice()
  bytes[bytes.length - 1] = 0xff
  disk.overwrite(first, bytes)
  assert.deepEqual(readTexts(place), texts)
  const writer = await openWriter(place)
  await writer.append([[record('f')]], { flush: true })
  assert.deepEqual(readTexts(place), [...texts, '5 f'])
  writer.dispose()
})

test('files that are removed while they are listed are skipped', async () => {
  const { disk, place, first } = await smallJournal()
  disk.before = (step, path) => {
    if (step === 'open' && path === first) throw failure('ENOENT', path)
  }
  const state = readJournals(place)
  assert.equal(state.firstOffset, 3)
  state.close()
})

test('a file that the first listing misses is found', async () => {
  const { disk, place } = await smallJournal()
  const { list } = disk
  let listings = 0
  disk.list = (folder) => (listings++ === 0 ? [] : list.call(disk, folder))
  assert.deepEqual(readTexts(place), texts)
})

test('a missing file is reported with its offsets', async () => {
  const { disk, place, first, second } = await smallJournal()
  const writer = await openWriter(place)
  await writer.close('seal')
  await writer.append([[record('f')]], { flush: true })
  writer.dispose()
  disk.files.delete(second)
  const state = readJournals(place)
  assert.deepEqual(
    state.damage.map(({ kind, path, lost }) => ({ kind, path, lost })),
    [{ kind: 'gap', path: first, lost: { from: 3, to: 5 } }],
  )
  state.close()
  assert.deepEqual(readTexts(place), ['0 a', '1 b', '2 c', '5 f'])
})

test('a part of the records is read from an offset on', async () => {
  const { place } = await smallJournal()
  assert.deepEqual(readTexts(place, 2), ['1 b', '2 c', '3 d', '4 e'])
  assert.deepEqual(readTexts(place, 4), ['4 e'])
  assert.deepEqual(readTexts(place, 5), [])
})

test('journals are listed by stream', async () => {
  const { disk } = await smallJournal()
  disk.replace(`${journalFolder}/append.lock`, new Uint8Array(0))
  const names = listJournals({ disk, folder: journalFolder })
  assert.deepEqual(
    names.map(({ encodedId, generation, firstOffset }) => [encodedId, generation, firstOffset]),
    [
      ['v'.repeat(32), 0, 0],
      ['v'.repeat(32), 0, 3],
    ],
  )
})
