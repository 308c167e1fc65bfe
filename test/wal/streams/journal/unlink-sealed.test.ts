import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { scanFrames } from '../../../../src/model/streams/index.ts'
import { nodeJournalDisk, readJournals, unlinkSealed } from '../../../../src/wal/streams/journal/index.ts'
import { newDisk, openWriter, readTexts, record, sealedAt } from './journals.ts'

const flushed = { flush: true }
const always = () => true

async function sealedTwice() {
  const { disk, place } = newDisk()
  const writer = await openWriter(place)
  for (const text of ['a', 'b']) {
    await writer.append([[record(text)]], flushed)
    await writer.close('seal')
  }
  await writer.append([[record('c')]], flushed)
  writer.dispose()
  return { disk, place }
}

test('only closed files below the sealed offset are removed', async () => {
  const { place } = await sealedTwice()
  assert.equal((await unlinkSealed(place, sealedAt(1), always)).length, 1)
  assert.deepEqual(readTexts(place), ['1 b', '2 c'])
  assert.equal((await unlinkSealed(place, sealedAt(3), always)).length, 1)
  assert.deepEqual(readTexts(place), ['2 c'])
})

test('a file that a process has left empty behind sealed ones is no loss, and is removed', async () => {
  const { disk, place } = await sealedTwice()
  const [first = '', second = ''] = [...disk.files.keys()].filter((path) => path.endsWith('.journal')).sort()
  const opening = scanFrames(disk.contentOf(second), 0, second.slice(-24, -8), place.crc32c).next().value?.end
  disk.replace(second, disk.contentOf(second).slice(0, opening))
  disk.remove(first)
  const state = readJournals(place)
  assert.deepEqual(
    state.damageAbove(1).map(({ kind }) => kind),
    ['bytes', 'gap'],
  )
  assert.deepEqual(state.damageAbove(2), [])
  state.close()
  assert.deepEqual(await unlinkSealed(place, sealedAt(1), always), [])
  assert.deepEqual(await unlinkSealed(place, sealedAt(2), always), [second])
  assert.deepEqual(readTexts(place), ['2 c'])
})

test('a file that continues a commit off the chain stays', async () => {
  const { place } = await sealedTwice()
  assert.deepEqual(await unlinkSealed(place, sealedAt(3), () => false), [])
})

test('the newest file stays until the generation has ended', async () => {
  const { place } = newDisk()
  const writer = await openWriter(place)
  await writer.append([[record('a')]], flushed)
  await writer.close('barrier')
  writer.dispose()
  assert.deepEqual(await unlinkSealed(place, sealedAt(1), always), [])
  assert.equal((await unlinkSealed(place, sealedAt(1), always, 'remove')).length, 1)
})

test('a file that another process has removed meanwhile is no failure', async () => {
  const { disk, place } = await sealedTwice()
  disk.before = (step, path) => {
    if (step === 'remove') disk.files.delete(path)
  }
  assert.equal((await unlinkSealed(place, sealedAt(3), always)).length, 2)
  nodeJournalDisk.remove(join(tmpdir(), 'no such journal'))
})
