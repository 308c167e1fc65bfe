import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OpenStreams } from '../../src/library/session.ts'
import { SharedOpening } from '../../src/library/shared-opening.ts'

function setUp() {
  let closes = 0
  let onClose = () => {}
  const closed = new Promise<void>((resolve) => {
    onClose = resolve
  })
  const close = async () => {
    closes++
    onClose()
  }
  const opening = new SharedOpening(Promise.resolve({ close } as unknown as OpenStreams & { close: typeof close }))
  return { opening, closed, closes: () => closes }
}

test('calls that follow each other share one opening, which closes once nobody uses it', async () => {
  const { opening, closed, closes } = setUp()
  for (let call = 0; call < 3; call++) await opening.use(async () => {})
  assert.deepEqual([opening.isOver, closes()], [false, 0])
  // The timer does not keep the process, so the test does.
  const kept = setInterval(() => {}, 1000)
  await closed
  clearInterval(kept)
  assert.deepEqual([opening.isOver, closes()], [true, 1])
  await opening.end()
  assert.equal(closes(), 1)
})

test('an opening that has ended closes after its last call', async () => {
  const { opening, closes } = setUp()
  let finish = () => {}
  const call = opening.use(
    () =>
      new Promise<void>((resolve) => {
        finish = resolve
      }),
  )
  await opening.end()
  assert.equal(closes(), 0)
  finish()
  await call
  assert.equal(closes(), 1)
})
