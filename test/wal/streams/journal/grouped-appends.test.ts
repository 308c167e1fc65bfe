import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { ConflictError, StorageError } from '../../../../src/model/errors/index.ts'
import type { FrameEncoder } from '../../../../src/model/streams/index.ts'
import {
  type AppendPlanner,
  GroupedAppends,
  JournalBlocked,
  type JournalPlace,
  type JournalWriter,
} from '../../../../src/wal/streams/journal/index.ts'
import { failure } from '../../../support/memory-journal-disk.ts'
import { newDisk, newEncoder, openWriter, readTexts, record } from './journals.ts'

interface Request {
  readonly text: string
  readonly expectedOffset?: number
  readonly sequence?: number
}

/** Knows sequences of one producer: a repeated one gets its position. */
class Sequences implements AppendPlanner<Request, number> {
  readonly #known = new Map<number, number>()
  #planned: { readonly sequence: number; readonly offset: number; readonly frameCount: number }[] = []

  begin(): void {
    this.#planned = []
  }

  plan({ text, expectedOffset, sequence }: Request, firstOffset: number, group: FrameEncoder): number {
    const planned = this.#planned.find((entry) => entry.sequence === sequence)
    const known = sequence === undefined ? undefined : (this.#known.get(sequence) ?? planned?.offset)
    if (known !== undefined) return known
    if (expectedOffset !== undefined && expectedOffset !== firstOffset)
      throw new ConflictError(`the next offset is ${firstOffset}`, { details: { found: firstOffset } })
    group.addRecords(firstOffset, [record(text)])
    if (sequence !== undefined) this.#planned.push({ sequence, offset: firstOffset, frameCount: group.frameCount })
    return firstOffset
  }

  settle(standing: number): void {
    for (const { sequence, offset, frameCount } of this.#planned)
      if (frameCount <= standing) this.#known.set(sequence, offset)
    this.#planned = []
  }
}

function groupsOn(writer: JournalWriter, options?: ConstructorParameters<typeof GroupedAppends>[2]) {
  const groups = new GroupedAppends<Request, number>(writer, new Sequences(), options)
  const append = (request: Request | string, bytes = 50) =>
    groups.append(typeof request === 'string' ? { text: request } : request, { bytes, flush: true })
  return { groups, append }
}

async function open() {
  const { disk, place } = newDisk()
  const writer = await openWriter(place)
  return { disk, place, writer, ...groupsOn(writer) }
}

async function another(place: JournalPlace) {
  return groupsOn(await openWriter(place))
}

test('appends of one turn share a write and a flush', async () => {
  const { disk, place, append } = await open()
  await append('first')
  const { write, flush } = disk.counts
  assert.deepEqual(await Promise.all(['a', 'b', 'c'].map((text) => append(text))), [1, 2, 3])
  assert.deepEqual([disk.counts.write, disk.counts.flush], [write + 1, flush + 1])
  assert.deepEqual(readTexts(place), ['0 first', '1 a', '2 b', '3 c'])
})

test('appends during a write form the next group', async () => {
  const { disk, append } = await open()
  await append('first')
  const later: Promise<number>[] = []
  disk.before = (step) => {
    if (step === 'flush' && later.length === 0) later.push(append('b'), append('c'))
  }
  const { write } = disk.counts
  assert.equal(await append('a'), 1)
  assert.deepEqual(await Promise.all(later), [2, 3])
  assert.equal(disk.counts.write, write + 2)
})

/** Groups on a disk whose flushes take 10 ms of a clock, with the pauses that they make. */
async function openTimed() {
  const { disk, writer } = await open()
  const clock = { nowMs: 0 }
  const pauses: number[] = []
  disk.before = (step) => {
    if (step === 'flush') clock.nowMs += 10
  }
  const pause = { end: (): void => {} }
  const after = (ms: number, call: () => void) => {
    pauses.push(ms)
    pause.end = () => {
      clock.nowMs += ms
      call()
    }
    return () => {}
  }
  return { disk, clock, pauses, pause, ...groupsOn(writer, { time: { nowMs: () => clock.nowMs, after } }) }
}

test('a group waits for as many requests as the last one had', async () => {
  const { disk, pauses, pause, groups, append } = await openTimed()
  await Promise.all(['a', 'b', 'c'].map((text) => append(text)))
  const { write } = disk.counts
  const again = [append('d')]
  await turn()
  assert.deepEqual([pauses, disk.counts.write], [[10], write], 'as long as the flush took')
  again.push(append('e'), append('f'))
  assert.deepEqual([await Promise.all(again), disk.counts.write], [[3, 4, 5], write + 1])
  const last = append('g')
  await turn()
  await groups.exclusive(async () => {})
  await turn()
  assert.equal(disk.counts.write, write + 1, 'work that needs the writer alone does not cut the group short')
  pause.end()
  assert.equal(await last, 6)
  await Promise.all([append('h'), append('i')])
  const closing = append('j')
  await turn()
  await groups.finish(async () => {})
  assert.deepEqual([await closing, pauses.length], [9, 4], 'finishing does')
})

test('a single writer and a late one do not wait', async () => {
  const { clock, pauses, append } = await openTimed()
  for (const text of ['a', 'b', 'c']) await append(text)
  await Promise.all([append('d'), append('e')])
  clock.nowMs += 11
  await append('f')
  assert.equal(pauses.length, 0)
})

test('a refused request leaves the rest of its group', async () => {
  const { append, place } = await open()
  const [good, refused, last] = await Promise.allSettled([
    append('a'),
    append({ text: 'x', expectedOffset: 0 }),
    append({ text: 'b', expectedOffset: 1 }),
  ])
  assert.deepEqual(
    [good, last],
    [
      { status: 'fulfilled', value: 0 },
      { status: 'fulfilled', value: 1 },
    ],
  )
  assert.ok(refused?.status === 'rejected' && refused.reason instanceof ConflictError)
  assert.deepEqual(readTexts(place), ['0 a', '1 b'])
})

test('a repeated sequence in one group gets the first position', async () => {
  const { append, place } = await open()
  const same = { text: 'a', sequence: 7 }
  assert.deepEqual(await Promise.all([append('x'), append(same), append(same)]), [0, 1, 1])
  assert.equal(await append(same), 1)
  assert.deepEqual(readTexts(place), ['0 x', '1 a'])
})

test('a group that lost a race is planned again', async () => {
  const { append, place } = await open()
  const other = await another(place)
  const answers = await Promise.all([append('a'), append('b'), other.append('c'), other.append('d')])
  assert.deepEqual([...answers].sort(), [0, 1, 2, 3])
  const found = readTexts(place)
  for (const [index, text] of ['a', 'b', 'c', 'd'].entries()) assert.ok(found.includes(`${answers[index]} ${text}`))
})

test('a writer that always loses reports a conflict', async () => {
  const { append } = groupsOn({
    nextOffset: 0,
    begin: () => newEncoder(),
    write: async () => ({ outcome: 'moved', nextOffset: 0 }),
    flush: async () => {},
  } as unknown as JournalWriter)
  await assert.rejects(append('a'), ConflictError)
})

test('a failed group rejects its requests, and the next one goes on', async () => {
  const { disk, append, place } = await open()
  await append('a')
  let fails = true
  disk.before = (step, path) => {
    if (step !== 'flush' || !fails) return
    fails = false
    throw failure('EIO', path)
  }
  const failed = await Promise.allSettled([append('b'), append('c')])
  assert.ok(failed.every(({ status }) => status === 'rejected'))
  assert.equal(await append('d'), 3)
  assert.deepEqual(readTexts(place), ['0 a', '1 b', '2 c', '3 d'])
})

test('on a full disk the first requests of a group are answered', async () => {
  const { disk, append, place } = await open()
  disk.roomBytes = 100
  const [first, second, third] = await Promise.allSettled([append('a'), append('b'), append('c')])
  assert.deepEqual([first?.status, second?.status, third?.status], ['fulfilled', 'fulfilled', 'rejected'])
  assert.ok(third?.status === 'rejected' && third.reason instanceof StorageError)
  disk.roomBytes = Number.POSITIVE_INFINITY
  assert.equal(await append('d'), 2)
  assert.deepEqual(readTexts(place), ['0 a', '1 b', '2 d'])
})

test('a group is bounded in bytes', async () => {
  const { disk, writer } = await open()
  const { append } = groupsOn(writer, { groupBytesMax: 100 })
  const { write } = disk.counts
  await Promise.all([append('a'), append('b'), append('large', 1000), append('c')])
  assert.equal(disk.counts.write, write + 3)
})

test('finishing answers everything that waits', async () => {
  const { writer } = await open()
  const { groups, append } = groupsOn(writer, { groupBytesMax: 60 })
  const events: string[] = []
  const appends = ['a', 'b', 'c'].map((text) => append(text).then(() => events.push(text)))
  await groups.finish(async () => {
    events.push('finished')
  })
  await Promise.all(appends)
  assert.deepEqual(events, ['a', 'b', 'c', 'finished'])
})

test('an exclusive run has the writer between two groups', async () => {
  const { append, groups, writer, place } = await open()
  const first = append('a')
  const sealed = groups.exclusive(() => writer.close('seal'))
  assert.deepEqual(await Promise.all([first, sealed, append('b')]), [0, 'closed', 1])
  assert.deepEqual(readTexts(place), ['0 a', '1 b'])
})

test('a barrier rejects appends and says so', async () => {
  const { append, groups, writer } = await open()
  await groups.exclusive(() => writer.close('barrier'))
  await assert.rejects(append('a'), (error) => error instanceof JournalBlocked && error.reason === 'barrier')
  const handedOn = groups.append({ text: 'b' }, { bytes: 50, flush: true }, ({ request, resolve }) => {
    assert.equal(request.text, 'b')
    resolve(42)
  })
  assert.equal(await handedOn, 42, 'who can go on elsewhere takes the request')
})

test('refusals are judged on what other processes have appended', async () => {
  const { place, append } = await open()
  await append('mine')
  const other = await another(place)
  await other.append('theirs')
  assert.equal(await append({ text: 'fits', expectedOffset: 2 }), 2)
  await assert.rejects(append({ text: 'late', expectedOffset: 2 }), { message: 'the next offset is 3' })
  assert.deepEqual(readTexts(place), ['0 mine', '1 theirs', '2 fits'])
})

test('what fails beside the appends ends neither them nor the process', async () => {
  const { writer } = await open()
  const failures: unknown[] = []
  const afterGroup = () => Promise.reject(failure('EBADF', 'journal'))
  const { groups, append } = groupsOn(writer, { afterGroup, onFailure: (error) => failures.push(error) })
  assert.deepEqual(await Promise.all([append('a'), append({ text: 'b', sequence: 1 })]), [0, 1])
  const thrown = groups.exclusive(() => {
    throw failure('EIO', 'journal')
  })
  await assert.rejects(thrown, { code: 'EIO' })
  assert.equal(await append('c'), 2)
  await groups.exclusive(async () => {})
  assert.equal(failures.length, 2, 'one for each group')
})
