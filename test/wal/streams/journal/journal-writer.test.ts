import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ConflictError, StorageError } from '../../../../src/model/errors/index.ts'
import { FrameEncoder } from '../../../../src/model/streams/index.ts'
import { type JournalWriter, readJournals } from '../../../../src/wal/streams/journal/index.ts'
import { plainCrc32c } from '../../../support/crc32c.ts'
import { failure, type MemoryJournalDisk } from '../../../support/memory-journal-disk.ts'
import { facts, genesis, newDisk, openWriter, readTexts, record, sealedAt } from './journals.ts'

const flushed = { flush: true }

function append(writer: JournalWriter, ...texts: readonly string[]) {
  return writer.append([texts.map(record)], flushed)
}

function journalPaths(disk: { files: ReadonlyMap<string, unknown> }): readonly string[] {
  return [...disk.files.keys()].filter((path) => path.endsWith('.journal')).sort()
}

async function failedWith(promise: Promise<unknown>, written: 'nothing' | 'maybe'): Promise<void> {
  await assert.rejects(promise, (error) => error instanceof StorageError && error.details.written === written)
}

/** What another process does that closes a file with one record. */
function closeFromOutside(disk: MemoryJournalDisk, path: string): void {
  const descriptor = disk.open(path)
  const closed = new FrameEncoder(path.slice(-24, -8), plainCrc32c, (count) => new Uint8Array(count))
  closed.begin(disk.contentOf(path).length)
  closed.addClosed({ nextOffset: 1, reason: 'seal', nextToken: '1234567812345678' })
  disk.write(descriptor, closed.bytes)
  disk.close(descriptor)
}

describe('the journal writer', () => {
  it('an append is one write, one flush, one read', async () => {
    const { disk, place } = newDisk()
    const writer = await openWriter(place)
    await append(writer, 'first')
    const before = { ...disk.counts }
    const appended = await writer.append([[record('a'), record('b')], [record('c')]], flushed)
    assert.deepEqual(appended, { outcome: 'appended', firstOffset: 1, batchCount: 2, failure: null })
    const { write, flush, read } = before
    assert.deepEqual(disk.counts, { ...before, write: write + 1, flush: flush + 1, read: read + 1 })
    assert.deepEqual(readTexts(place), ['0 first', '1 a', '2 b', '3 c'])
    writer.dispose()
    assert.equal(disk.openCount, 0)
  })

  it('level memory writes without a flush', async () => {
    const { disk, place } = newDisk()
    const writer = await openWriter(place)
    const { flush } = disk.counts
    await writer.append([[record('a')]], { flush: false })
    assert.equal(disk.counts.flush, flush)
    await writer.flush()
    assert.equal(disk.counts.flush, flush + 1)
  })

  it('a second writer goes on behind the first', async () => {
    const { place } = newDisk()
    const [one, two] = [await openWriter(place), await openWriter(place)]
    const seen: number[] = []
    const three = await openWriter(place, genesis, { onRecords: ({ firstOffset }) => seen.push(firstOffset) })
    assert.equal((await append(one, 'a')).outcome, 'appended')
    assert.deepEqual(await append(two, 'b'), { outcome: 'moved', nextOffset: 1 })
    assert.equal((await append(two, 'b')).outcome, 'appended')
    assert.equal(await three.refresh(), 'moved')
    assert.deepEqual(seen, [0, 1])
    assert.deepEqual(readTexts(place), ['0 a', '1 b'])
  })

  it('frames of a lost race do not count', async () => {
    const { place } = newDisk()
    const [one, two] = [await openWriter(place), await openWriter(place)]
    await append(one, 'a')
    await two.refresh()
    // Both judge the file, then both write.
    const [won, lost] = await Promise.all([append(one, 'b'), append(two, 'c')])
    assert.equal(won.outcome, 'appended')
    assert.deepEqual(lost, { outcome: 'moved', nextOffset: 2 })
    assert.equal((await append(two, 'c')).outcome, 'appended')
    assert.deepEqual(readTexts(place), ['0 a', '1 b', '2 c'])
    const state = readJournals(place)
    assert.deepEqual(state.damage, [])
    state.close()
  })

  it('a sealed file is followed by the next one', async () => {
    const { disk, place } = newDisk()
    const writer = await openWriter(place)
    await append(writer, 'a')
    assert.equal(await writer.close('seal'), 'closed')
    await append(writer, 'b')
    assert.equal(writer.waitingCount, 1)
    assert.deepEqual(readTexts(place), ['0 a', '1 b'])
    assert.equal(journalPaths(disk).length, 2)
    writer.noteSealed(sealedAt(1))
    assert.equal(writer.waitingCount, 0)
  })

  it('another writer finds the file after a sealed one', async () => {
    const { place } = newDisk()
    const [one, two] = [await openWriter(place), await openWriter(place)]
    await append(one, 'a')
    await one.close('seal')
    assert.equal((await append(two, 'b')).outcome, 'moved')
    assert.equal((await append(two, 'b')).outcome, 'appended')
    assert.deepEqual(readTexts(place), ['0 a', '1 b'])
  })

  it('a write after the closed frame does not count', async () => {
    const { disk, place } = newDisk()
    const writer = await openWriter(place)
    await append(writer, 'a')
    const [path = ''] = journalPaths(disk)
    // Another process closes the file while this one is suspended between its look at the size and its write.
    disk.before = (step) => {
      if (step !== 'write') return
      disk.before = () => {}
      closeFromOutside(disk, path)
    }
    assert.deepEqual(await append(writer, 'late'), { outcome: 'moved', nextOffset: 1 })
    assert.deepEqual(readTexts(place), ['0 a'])
    assert.equal((await append(writer, 'b')).outcome, 'appended')
    assert.deepEqual(readTexts(place), ['0 a', '1 b'])
  })

  it('a writer whose file was sealed and removed is stale', async () => {
    const { disk, place } = newDisk()
    const [one, two] = [await openWriter(place), await openWriter(place)]
    await append(one, 'a')
    await one.close('seal')
    await append(one, 'b')
    await one.close('seal')
    for (const path of journalPaths(disk).slice(0, 2)) disk.remove(path)
    assert.equal(await two.refresh(), 'stale')
    assert.equal((await append(two, 'c')).outcome, 'stale')
    assert.equal(journalPaths(disk).length, 1)
  })

  it('a follower that was sealed and removed is not made again', async () => {
    const { disk, place } = newDisk()
    const [one, two] = [await openWriter(place), await openWriter(place)]
    await append(one, 'a')
    await one.close('seal')
    const [first = '', second = ''] = journalPaths(disk)
    await append(one, 'b')
    await one.close('seal')
    await append(one, 'c')
    disk.remove(second)
    // The second writer has seen the closed file, and is about to make its follower.
    disk.before = (step, path) => {
      if (step === 'link' && path === second) disk.files.delete(first)
    }
    assert.equal(await two.refresh(), 'stale')
    assert.deepEqual(readTexts(place), ['2 c'])
    assert.equal(journalPaths(disk).length, 1)
  })

  it('a file that was removed acknowledges nothing', async () => {
    const { disk, place } = newDisk()
    const writer = await openWriter(place)
    disk.before = (step, path) => {
      if (step === 'flush') disk.files.delete(path)
    }
    assert.equal((await append(writer, 'a')).outcome, 'stale')
  })

  it('an append stands when the file was closed behind it, sealed and removed before the flush', async () => {
    const { disk, place } = newDisk()
    const writer = await openWriter(place)
    disk.before = (step, path) => {
      if (step !== 'flush') return
      disk.before = () => {}
      closeFromOutside(disk, path)
      disk.files.delete(path)
    }
    assert.deepEqual(await append(writer, 'a'), { outcome: 'appended', firstOffset: 0, batchCount: 1, failure: null })
    assert.equal((await append(writer, 'b')).outcome, 'stale')
  })

  it('a copy over the file makes the writer stale', async () => {
    const { disk, place } = newDisk()
    const writer = await openWriter(place)
    const [path = ''] = journalPaths(disk)
    const copy = disk.contentOf(path)
    await append(writer, 'a')
    disk.overwrite(path, copy)
    assert.equal((await append(writer, 'b')).outcome, 'stale')
    disk.replace(path, copy)
    assert.equal(await writer.refresh(), 'stale')
  })

  it('appends wait after a barrier until the act', async () => {
    const { place } = newDisk()
    const [writer, other] = [await openWriter(place), await openWriter(place)]
    await append(writer, 'a')
    assert.equal(await writer.close('barrier'), 'barrier')
    assert.equal((await append(writer, 'b')).outcome, 'barrier')
    assert.equal((await append(other, 'b')).outcome, 'barrier')
    // The act has adopted four records.
    await writer.resume(sealedAt(5), 2)
    assert.deepEqual(await append(writer, 'b'), { outcome: 'appended', firstOffset: 5, batchCount: 1, failure: null })
    // It does not know these records.
    for (let tries = 0; tries < 2; tries++) assert.equal((await append(other, 'c')).outcome, 'stale')
    assert.deepEqual(readTexts(place), ['0 a', '5 b'])
    const state = readJournals(place)
    assert.deepEqual(state.damage, [])
    assert.equal(state.last?.open?.epoch, 2)
    state.close()
    await assert.rejects(openWriter(place), ConflictError)
  })

  it('appends of other processes go on behind an act that has added nothing', async () => {
    const { place } = newDisk()
    const [writer, other] = [await openWriter(place), await openWriter(place)]
    await append(writer, 'a')
    await writer.close('barrier')
    await writer.resume(sealedAt(1))
    assert.equal((await append(other, 'b')).outcome, 'moved')
    assert.equal((await append(other, 'b')).outcome, 'appended')
    assert.deepEqual(readTexts(place), ['0 a', '1 b'])
  })

  it('a full disk loses nothing and says so', async () => {
    const { disk, place } = newDisk()
    const writer = await openWriter(place)
    await append(writer, 'a')
    disk.roomBytes = 0
    await failedWith(append(writer, 'b'), 'nothing')
    disk.roomBytes = 20
    await failedWith(append(writer, 'b'), 'nothing')
    disk.roomBytes = Number.POSITIVE_INFINITY
    assert.equal((await append(writer, 'c')).outcome, 'appended')
    assert.deepEqual(readTexts(place), ['0 a', '1 c'])
  })

  it('of a group the batches before the end of the disk stand', async () => {
    const { disk, place } = newDisk()
    const writer = await openWriter(place)
    disk.roomBytes = 60
    const appended = await writer.append([[record('a')], [record('b')], [record('c')]], flushed)
    assert.equal(appended.outcome === 'appended' && appended.batchCount, 1)
    assert.ok(appended.outcome === 'appended' && appended.failure instanceof StorageError)
    disk.roomBytes = Number.POSITIVE_INFINITY
    assert.equal((await append(writer, 'd')).outcome, 'appended')
    assert.deepEqual(readTexts(place), ['0 a', '1 d'])
  })

  it('a seal on a full disk goes on when there is room', async () => {
    const { disk, place } = newDisk()
    const writer = await openWriter(place)
    await append(writer, 'a')
    for (const room of [0, 10, 70, 100, 200]) {
      disk.roomBytes = room
      await writer.close('seal').catch((error) => assert.ok(error instanceof StorageError))
      assert.deepEqual(readTexts(place), ['0 a'])
    }
    disk.roomBytes = Number.POSITIVE_INFINITY
    for (let tries = 0; (await append(writer, 'b')).outcome !== 'appended'; tries++) assert.ok(tries < 2)
    assert.deepEqual(readTexts(place), ['0 a', '1 b'])
    assert.ok([...disk.files.keys()].every((path) => path.endsWith('.journal')))
  })

  it('after a failed flush the frames are copied to the next file', async () => {
    const { disk, place } = newDisk()
    const seen: number[] = []
    const writer = await openWriter(place, genesis, { onRecords: ({ firstOffset }) => seen.push(firstOffset) })
    await append(writer, 'a')
    let fails = 1
    disk.before = (step, path) => {
      if (step === 'flush' && fails-- > 0) throw failure('EIO', path)
    }
    await failedWith(append(writer, 'b'), 'maybe')
    // It counts although it was not acknowledged, so its planner hears of it.
    assert.deepEqual(seen, [1])
    assert.equal((await append(writer, 'c')).outcome, 'appended')
    const [first = '', second = ''] = journalPaths(disk)
    const state = readJournals(place)
    assert.deepEqual([state.all.length, state.files.length], [2, 1])
    assert.equal(state.all.find((file) => file !== state.last)?.closed?.reason, 'fault')
    state.close()
    assert.ok(first !== second)
    assert.deepEqual(readTexts(place), ['0 a', '1 b', '2 c'])
  })

  it('a failed flush on a full disk is repaired by the next append', async () => {
    const { disk, place } = newDisk()
    const writer = await openWriter(place)
    await append(writer, 'a')
    disk.before = (step, path) => {
      if (step !== 'flush') return
      disk.roomBytes = 0
      throw failure('EIO', path)
    }
    await failedWith(append(writer, 'b'), 'maybe')
    disk.before = () => {}
    await failedWith(append(writer, 'c'), 'nothing')
    disk.roomBytes = Number.POSITIVE_INFINITY
    assert.equal((await append(writer, 'c')).outcome, 'appended')
    assert.deepEqual(readTexts(place), ['0 a', '1 b', '2 c'])
    assert.equal(journalPaths(disk).length, 2)
  })

  it('a writer killed after closing a file for a fault is continued', async () => {
    const { disk, place } = newDisk()
    const writer = await openWriter(place)
    await append(writer, 'a')
    disk.before = (step, path) => {
      if (step === 'flush') throw failure('EIO', path)
      if (step === 'create') throw failure('ENOSPC', path)
    }
    await failedWith(append(writer, 'b'), 'maybe')
    disk.before = () => {}
    writer.dispose()
    const next = await openWriter(place)
    while ((await append(next, 'c')).outcome !== 'appended');
    assert.deepEqual(readTexts(place), ['0 a', '1 b', '2 c'])
  })

  it('bytes that come back wrong are not acknowledged', async () => {
    const { disk, place } = newDisk()
    const writer = await openWriter(place)
    await append(writer, 'a')
    let isStale = true
    disk.afterRead = (bytes) => {
      if (isStale && bytes.length > 80) bytes[bytes.length - 1] = 0
      isStale = false
    }
    await failedWith(writer.append([[record('b')], [record('c')]], flushed), 'maybe')
    assert.equal((await append(writer, 'd')).outcome, 'appended')
    assert.deepEqual(readTexts(place), ['0 a', '1 b', '2 c', '3 d'])
  })

  it('the folder is flushed before an append to a found file', async () => {
    const { disk, place } = newDisk()
    ;(await openWriter(place)).dispose()
    const { flushFolder } = disk.counts
    const writer = await openWriter(place)
    await append(writer, 'a')
    await append(writer, 'b')
    assert.equal(disk.counts.flushFolder, flushFolder + 1)
  })

  it('processes that create the first file at once share it', async () => {
    const { disk, place } = newDisk()
    const writers = await Promise.all([openWriter(place), openWriter(place), openWriter(place)])
    assert.equal(journalPaths(disk).length, 1)
    for (const writer of writers) writer.dispose()
  })

  it('a journal of another incarnation is refused', async () => {
    const { place } = newDisk()
    ;(await openWriter(place)).dispose()
    const other = { ...facts, incarnation: 'ffffffffffffffff' as typeof facts.incarnation }
    const { JournalWriter } = await import('../../../../src/wal/streams/journal/index.ts')
    await assert.rejects(JournalWriter.open(place, other, genesis), ConflictError)
  })

  it('a file with a damaged first frame is replaced by a copy', async () => {
    const { disk, place } = newDisk()
    const writer = await openWriter(place)
    await append(writer, 'a')
    writer.dispose()
    const [path = ''] = journalPaths(disk)
    const bytes = disk.contentOf(path).slice()
    bytes[40] = (bytes[40] as number) ^ 1
    disk.overwrite(path, bytes)
    assert.deepEqual(readTexts(place), ['0 a'])
    const next = await openWriter(place)
    while ((await append(next, 'b')).outcome !== 'appended');
    assert.deepEqual(readTexts(place), ['0 a', '1 b'])
    const state = readJournals(place)
    assert.equal(state.last?.open?.streamId, facts.streamId)
    state.close()
  })
})
