import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openProgress, type ProgressNotice } from '../../src/mcp/progress.ts'

test('progress grows through several parts of the work', () => {
  let nowUnixMs = 1_000
  const sent: ProgressNotice[] = []
  const progress = openProgress(
    () => nowUnixMs,
    (notice) => sent.push(notice),
  )
  const report = (part: ReturnType<typeof progress>, done: number, total: number | null) => {
    nowUnixMs += 1_000
    part.report(done, total)
  }
  const fetching = progress('Fetching')
  report(fetching, 5, 10)
  report(fetching, 5, 10)
  report(fetching, 10, 10)
  const pushing = progress('Pushing')
  report(pushing, 3, null)
  assert.deepEqual(sent, [
    { progress: 5, total: 10, message: 'Fetching' },
    { progress: 10, total: 10, message: 'Fetching' },
    { progress: 13, message: 'Pushing' },
  ])
})

test('reports that follow each other closely are one notification', () => {
  const sent: ProgressNotice[] = []
  const part = openProgress(
    () => 1_000,
    (notice) => sent.push(notice),
  )('Reading')
  for (let done = 1; done <= 100; done++) part.report(done, 100)
  assert.deepEqual(sent, [{ progress: 1, total: 100, message: 'Reading' }])
})
