import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type JournalState, KeptJournals, unlinkSealed } from '../../../../src/wal/streams/journal/index.ts'
import { newDisk, openWriter, readTexts, record, sealedAt, textOf } from './journals.ts'

/** A journal with a hundred records, and what a follower keeps of it. */
async function followed() {
  const { disk, place } = newDisk()
  const writer = await openWriter(place)
  const append = (text: string) => writer.append([[record(text)]], { flush: true })
  for (let index = 0; index < 100; index++) await append(`r${index}`)
  const kept = new KeptJournals()
  kept.look(place)
  let readBytes = 0
  disk.afterRead = (bytes) => {
    readBytes += bytes.length
  }
  const look = () => {
    readBytes = 0
    const lists = disk.counts.list
    const state = kept.look(place)
    return { state, readBytes, lists: disk.counts.list - lists }
  }
  return { disk, place, writer, append, kept, look }
}

const textsFrom = (state: JournalState, from: number) =>
  [...state.batchesFrom(from)].flatMap(({ records }) => records.map(textOf))

test('a look judges only what was appended since the last one, without a list of the folder', async () => {
  const { append, look } = await followed()
  await append('new')
  const { state, readBytes, lists } = look()
  assert.ok(readBytes < 200, `${readBytes} bytes`)
  assert.equal(lists, 0)
  assert.deepEqual([textsFrom(state, 99), state.nextOffset], [['r99', 'new'], 101])
  assert.deepEqual([look().readBytes, look().lists], [0, 1], 'nothing new in the known files may be a new file')
})

test('a look finds the file that follows a closed one', async () => {
  const { writer, append, look } = await followed()
  await writer.close('seal')
  await append('next')
  assert.deepEqual(textsFrom(look().state, 99), ['r99', 'next'])
})

test('a look leaves out a file that was sealed and removed', async () => {
  const { place, writer, append, look } = await followed()
  await writer.close('seal')
  await append('next')
  look()
  await unlinkSealed(place, sealedAt(100), async () => true)
  const { state } = look()
  assert.deepEqual([state.firstOffset, state.files.length, textsFrom(state, 0)], [100, 1, ['next']])
})

test('a look judges a file anew that another was copied over', async () => {
  const { disk, place, look } = await followed()
  const [path = ''] = [...disk.files.keys()]
  disk.overwrite(path, disk.contentOf(path).subarray(0, disk.contentOf(path).length >> 1))
  const { state } = look()
  assert.deepEqual(textsFrom(state, 0).length, readTexts(place).length)
  assert.ok((state.nextOffset ?? 0) < 100)
  disk.replace(path, disk.contentOf(path))
  assert.equal(look().state.nextOffset, state.nextOffset)
})

test('all files are closed at the end', async () => {
  const { disk, writer, append, kept, look } = await followed()
  await writer.close('seal')
  await append('next')
  look()
  kept.close()
  writer.dispose()
  assert.equal(disk.openCount, 0)
})
