import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { WriteQueue } from '../../src/tracker/write-queue.ts'

interface Write {
  readonly by: string
  readonly name: string
}

/** A queue that notes what happens, in order. `fits` bounds the writes of one commit. A commit takes 10 ms of its clock. A pause is over at once, unless the queue `lingers`. */
function createQueue({ fits = 100, lingers = false } = {}) {
  const log: string[] = []
  const clock = { nowMs: 0 }
  let isHeld = false
  let running = 0
  const queue = new WriteQueue<Write>({
    between: {
      enter: async () => {
        assert.equal(isHeld, false)
        isHeld = true
        log.push('enter')
        return async () => {
          isHeld = false
          log.push('leave')
        }
      },
    },
    mayShareCommit: (first, other) => first.by === other.by,
    async commit(writes) {
      assert.equal(isHeld, true)
      assert.equal(++running, 1)
      await turn()
      clock.nowMs += 10
      running -= 1
      log.push(
        writes
          .slice(0, fits)
          .map(({ name }) => name)
          .join('+'),
      )
      return { left: writes.slice(fits), settle: () => {} }
    },
    time: {
      nowMs: () => clock.nowMs,
      after(ms, call) {
        log.push('pause')
        const end = () => {
          clock.nowMs += ms
          call()
        }
        const immediate = lingers ? undefined : setImmediate(end)
        return () => clearImmediate(immediate)
      },
    },
  })
  return { queue, log, clock, add: (by: string, name: string) => queue.add({ by, name }) }
}

async function untilLeft(log: readonly string[], times = 1): Promise<void> {
  while (log.filter((entry) => entry === 'leave').length < times) await turn()
}

describe('WriteQueue', () => {
  it('commits writes of one actor that wait together at once', async () => {
    const { add, log } = createQueue()
    for (const name of ['1', '2', '3']) add('ann', name)
    await untilLeft(log)
    assert.deepEqual(log, ['enter', '1+2+3', 'leave'])
  })

  it('keeps the order of arrival between actors', async () => {
    const { add, log } = createQueue()
    for (const [by, name] of ['a1', 'b1', 'b2', 'a2'].map((text) => [text.charAt(0), text])) add(`${by}`, `${name}`)
    await untilLeft(log)
    assert.deepEqual(log, ['enter', 'a1', 'b1+b2', 'a2', 'leave'])
  })

  it('puts writes that did not fit first in the next turn', async () => {
    const { add, log } = createQueue({ fits: 2 })
    for (const name of ['1', '2', '3', '4', '5']) add('ann', name)
    add('bo', 'last')
    await untilLeft(log)
    assert.deepEqual(log, ['enter', '1+2', '3+4', '5', 'last', 'leave'])
  })

  it('runs nothing beside work that entered alone', async () => {
    const { queue, add, log } = createQueue()
    const entered = queue.enter()
    add('ann', '1')
    const leave = await entered
    for (let round = 0; round < 5; round++) await turn()
    assert.deepEqual(log, ['enter'])
    await leave()
    await untilLeft(log)
    assert.deepEqual(log, ['enter', '1', 'leave'])
  })

  it('does not move a write ahead of work that entered alone', async () => {
    const { queue, add, log } = createQueue()
    add('ann', '1')
    const entered = queue.enter()
    add('ann', '2')
    const leave = await entered
    assert.deepEqual(log, ['enter', '1'])
    await leave()
    await untilLeft(log)
    assert.deepEqual(log, ['enter', '1', '2', 'leave'])
  })

  it('releases the lock file after eight turns, for other processes', async () => {
    const { add, log } = createQueue({ fits: 1 })
    for (let index = 1; index <= 10; index++) add('ann', `${index}`)
    await untilLeft(log, 2)
    assert.deepEqual(log, ['enter', '1', '2', '3', '4', '5', '6', '7', '8', 'leave', 'enter', '9', '10', 'leave'])
  })

  it('leaving resolves when the lock file is free again', async () => {
    const { queue, add, log } = createQueue()
    const leave = await queue.enter()
    await queue.leaving()
    assert.deepEqual(log, ['enter'], 'an interrupt does not wait for a turn that goes on')
    await leave()
    await queue.leaving()
    assert.deepEqual(log, ['enter', 'leave'])
    add('ann', '1')
    await untilLeft(log, 2)
  })

  it('does not hand over writes that arrive during a commit with it', async () => {
    const { add, log } = createQueue()
    add('ann', '1')
    await turn()
    add('ann', '2')
    add('ann', '3')
    await untilLeft(log)
    assert.deepEqual(log, ['enter', '1', '2+3', 'leave'])
  })

  it('waits after a shared commit until as many writes are there', async () => {
    const { add, log } = createQueue({ lingers: true })
    for (const name of ['1', '2', '3']) add('ann', name)
    await untilLeft(log)
    for (const name of ['4', '5']) {
      add('ann', name)
      await turn()
    }
    assert.deepEqual(log, ['enter', '1+2+3', 'leave', 'pause'], 'the lock file is free meanwhile')
    add('ann', '6')
    await untilLeft(log, 2)
    assert.deepEqual(log.slice(4), ['enter', '4+5+6', 'leave'])
  })

  it('does not wait for writers long after a shared commit', async () => {
    const { add, log, clock } = createQueue()
    for (const name of ['1', '2']) add('ann', name)
    await untilLeft(log)
    clock.nowMs += 10
    add('ann', '3')
    await untilLeft(log, 2)
    assert.deepEqual(log, ['enter', '1+2', 'leave', 'enter', '3', 'leave'])
  })

  it('waits once for writers that do not come back', async () => {
    const { add, log } = createQueue()
    for (const name of ['1', '2', '3']) add('ann', name)
    await untilLeft(log)
    for (const [index, name] of ['4', '5'].entries()) {
      add('ann', name)
      await untilLeft(log, index + 2)
    }
    assert.deepEqual(log, ['enter', '1+2+3', 'leave', 'pause', 'enter', '4', 'leave', 'enter', '5', 'leave'])
  })

  it('does not let work that enters alone wait for more writes', async () => {
    const { queue, add, log } = createQueue({ lingers: true })
    for (const name of ['1', '2', '3']) add('ann', name)
    await untilLeft(log)
    add('ann', '4')
    const leave = await queue.enter()
    await leave()
    assert.deepEqual(log, ['enter', '1+2+3', 'leave', 'pause', 'enter', '4', 'leave'])
  })
})
