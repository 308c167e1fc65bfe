import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { scanInSteps } from '../../src/view/scan-in-steps.ts'

/** Numbers below `total`, with what was asked for. */
function numbers(total: number) {
  const asked: number[] = []
  let given = 0
  let closed = 0
  return {
    asked,
    get closed() {
      return closed
    },
    async nextv(count: number) {
      asked.push(count)
      const first = given
      given = Math.min(total, first + count)
      return Array.from({ length: given - first }, (_, index) => first + index)
    },
    async close() {
      closed += 1
    },
  }
}

const upTo = (total: number) => Array.from({ length: total }, (_, index) => index)

describe('scans in steps', () => {
  it('a short scan asks for few items', async () => {
    const source = numbers(3)
    assert.deepEqual(await scanInSteps(source, false).all(), [0, 1, 2])
    assert.equal(source.asked[0], 32)
  })

  it('steps grow to a thousand items', async () => {
    const source = numbers(3_000)
    assert.deepEqual(await scanInSteps(source, false).all(), upTo(3_000))
    assert.deepEqual(source.asked.slice(0, 5), [32, 128, 512, 1_000, 1_000])
  })

  it('a long scan begins with a thousand items', async () => {
    const source = numbers(1_500)
    assert.deepEqual(await scanInSteps(source, true).all(), upTo(1_500))
    assert.equal(source.asked[0], 1_000)
  })

  it('all gives the items that next has left', async () => {
    const source = numbers(40)
    const scan = scanInSteps(source, false)
    assert.equal(await scan.next(), 0)
    assert.equal(await scan.next(), 1)
    assert.deepEqual(await scan.all(), upTo(40).slice(2))
    assert.equal(source.closed, 1)
  })

  it('next gives nothing after the end, however often', async () => {
    const scan = scanInSteps(numbers(1), false)
    assert.deepEqual([await scan.next(), await scan.next(), await scan.next()], [0, undefined, undefined])
  })

  it('a loop closes the source, also when it stops early', async () => {
    const source = numbers(100)
    const found: number[] = []
    for await (const item of scanInSteps(source, false)) found.push(item)
    assert.deepEqual(found, upTo(100))
    assert.equal(source.closed, 1)
    const other = numbers(100)
    for await (const item of scanInSteps(other, false)) if (item === 40) break
    assert.equal(other.closed, 1)
  })

  it('a failed read closes the source', async () => {
    const source = numbers(0)
    const fails = { close: source.close, nextv: () => Promise.reject(new Error('unreadable')) }
    await assert.rejects(scanInSteps(fails, false).all(), /unreadable/)
    assert.equal(source.closed, 1)
  })
})
