/** Random histories of two writers on a disk that fails, against a toy: what was acknowledged stays, nothing is invented. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GriteError } from '../../../../src/model/errors/index.ts'
import {
  type JournalDamage,
  type JournalWriter,
  readJournals,
  unlinkSealed,
} from '../../../../src/wal/streams/journal/index.ts'
import { failure } from '../../../support/memory-journal-disk.ts'
import { newDisk, openWriter, record, sealedAt, textOf } from './journals.ts'

const histories = 40
const stepsOfHistory = 40

function randomFrom(seed: number): (below: number) => number {
  let state = seed * 2654435761 + 1
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0
    return ((state ^ (state >>> 13)) >>> 0) % below
  }
}

class History {
  readonly #random: (below: number) => number
  readonly #disk
  readonly #place
  readonly #writers: (JournalWriter | null)[] = [null, null]
  /** Acknowledged records by offset. Those that are not flushed yet may go in a crash. */
  readonly #acknowledged = new Map<number, { text: string; isFlushed: boolean }>()
  /** Texts of appends that the writer said were not written. */
  readonly #refused = new Set<string>()
  readonly #sent = new Set<string>()
  /** What was sealed, by offset. */
  readonly #sealed: string[] = []
  #fault: 'flush' | 'link' | 'folder' | null = null

  constructor(seed: number) {
    this.#random = randomFrom(seed)
    const { disk, place } = newDisk()
    this.#disk = disk
    this.#place = place
    disk.before = (step, path) => {
      const isHit =
        (this.#fault === 'flush' && step === 'flush') ||
        (this.#fault === 'folder' && step === 'flushFolder') ||
        (this.#fault === 'link' && step === 'link')
      if (!isHit) return
      this.#fault = null
      throw failure('EIO', path)
    }
  }

  async run(): Promise<void> {
    for (let step = 0; step < stepsOfHistory; step++) {
      await this.#step()
      this.#check()
    }
  }

  async #step(): Promise<void> {
    const which = this.#random(2)
    switch (this.#random(12)) {
      case 0:
        await this.#seal(which)
        break
      case 1:
        await this.#removeSealed()
        break
      case 2:
        this.#fault = (['flush', 'link', 'folder'] as const)[this.#random(3)] ?? null
        break
      case 3:
        this.#disk.roomBytes = this.#random(300)
        break
      case 4:
        this.#disk.roomBytes = Number.POSITIVE_INFINITY
        break
      case 5:
        this.#close(which)
        break
      case 6:
        this.#crash()
        break
      case 7:
        await Promise.all([this.#append(0), this.#append(1)])
        break
      default:
        await this.#append(which)
    }
  }

  async #writer(which: number): Promise<JournalWriter | null> {
    const open = this.#writers[which]
    if (open != null) return open
    try {
      const writer = await openWriter(this.#place, sealedAt(this.#sealed.length))
      this.#writers[which] = writer
      return writer
    } catch (error) {
      assert.ok(error instanceof GriteError, String((error as Error).stack))
      return null
    }
  }

  async #append(which: number): Promise<void> {
    const writer = await this.#writer(which)
    if (writer === null) return
    const flush = this.#random(4) > 0
    const batches = Array.from({ length: 1 + this.#random(3) }, () =>
      Array.from({ length: 1 + this.#random(2) }, () => {
        const text = `${which}-${this.#sent.size}`
        this.#sent.add(text)
        return text
      }),
    )
    try {
      const appended = await writer.append(
        batches.map((texts) => texts.map(record)),
        { flush },
      )
      if (appended.outcome !== 'appended') {
        for (const text of batches.flat()) this.#refused.add(text)
        if (appended.outcome === 'stale') this.#close(which)
        return
      }
      let offset = appended.firstOffset
      for (const text of batches.slice(0, appended.batchCount).flat()) {
        assert.ok(!this.#acknowledged.has(offset), `offset ${offset} was acknowledged twice`)
        this.#acknowledged.set(offset++, { text, isFlushed: false })
      }
      if (flush) for (const entry of this.#acknowledged.values()) entry.isFlushed = true
      for (const text of batches.slice(appended.batchCount).flat()) this.#refused.add(text)
    } catch (error) {
      assert.ok(error instanceof GriteError, String((error as Error).stack))
      if (error.details.written === 'nothing') for (const text of batches.flat()) this.#refused.add(text)
    }
  }

  async #seal(which: number): Promise<void> {
    const writer = await this.#writer(which)
    if (writer === null) return
    try {
      if ((await writer.close('seal')) === 'stale') this.#close(which)
    } catch (error) {
      assert.ok(error instanceof GriteError, String((error as Error).stack))
    }
  }

  /** Moves what closed files hold into the commit, and removes them. */
  async #removeSealed(): Promise<void> {
    const state = readJournals(this.#place)
    const closed = state.files.filter((file) => file.closed?.reason === 'seal')
    const end = closed.at(-1)?.nextOffset ?? 0
    for (const { firstOffset, records } of state.batchesFrom(this.#sealed.length))
      for (const [index, bytes] of records.entries())
        if (firstOffset + index < end) this.#sealed[firstOffset + index] = textOf(bytes)
    state.close()
    for (let offset = 0; offset < this.#sealed.length; offset++) {
      const entry = this.#acknowledged.get(offset)
      if (entry !== undefined) entry.isFlushed = true
    }
    for (const writer of this.#writers) writer?.noteSealed(sealedAt(this.#sealed.length))
    try {
      await unlinkSealed(this.#place, sealedAt(this.#sealed.length), () => true)
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'EIO')
    }
  }

  #close(which: number): void {
    this.#writers[which]?.dispose()
    this.#writers[which] = null
  }

  #crash(): void {
    this.#writers.fill(null)
    this.#disk.crash(
      (unflushed) => this.#random(unflushed + 1),
      () => this.#random(2) === 0,
    )
    for (const [offset, { isFlushed }] of this.#acknowledged) if (!isFlushed) this.#acknowledged.delete(offset)
  }

  #check(): void {
    const found = [...this.#sealed]
    const state = readJournals(this.#place)
    for (const { firstOffset, records } of state.batchesFrom(found.length))
      for (const [index, bytes] of records.entries())
        if (firstOffset + index >= this.#sealed.length) found[firstOffset + index] = textOf(bytes)
    state.close()
    for (const [offset, { text }] of this.#acknowledged) assert.equal(found[offset], text, `offset ${offset}`)
    assert.equal(new Set(found).size, found.length, 'a record is there twice, or an offset is missing')
    for (const text of found) {
      assert.ok(this.#sent.has(text), `${text} was never sent`)
      assert.ok(!this.#refused.has(text), `${text} was said not to be written`)
    }
    // A crash may bring back a removed file, but not the one after it: the gap is in the commit.
    const isSealed = ({ lost }: JournalDamage) => lost !== null && lost.to <= this.#sealed.length
    const damage = state.damage.filter((entry) => entry.kind !== 'bytes' && !isSealed(entry))
    assert.deepEqual(damage, [])
  }
}

test('no history of writers, faults and crashes loses a record', async () => {
  const first = Number(process.env.GRITE_TEST_SEED ?? 1)
  for (let seed = first; seed < first + histories; seed++) {
    try {
      await new History(seed).run()
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).stack}`)
    }
  }
})
