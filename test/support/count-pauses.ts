import { AsyncLocalStorage } from 'node:async_hooks'
import { syncBuiltinESMExports } from 'node:module'
import timers from 'node:timers/promises'

/** The sum of pauses of the running function. */
const tallies = new AsyncLocalStorage<{ pausedMs: number }>()

const { setTimeout: sleep } = timers
timers.setTimeout = <Value>(...args: Parameters<typeof sleep<Value>>) => {
  const tally = tallies.getStore()
  if (tally !== undefined) tally.pausedMs += args[0] ?? 0
  return sleep<Value>(...args)
}
syncBuiltinESMExports()

/**
 * Counts the milliseconds that a function asks to pause for, in this process: a measure of waiting without a clock.
 * Concurrent functions do not count.
 */
export function countPauses<Result>(work: () => Promise<Result>): {
  readonly done: Promise<Result>
  readonly pausedMs: () => number
} {
  const tally = { pausedMs: 0 }
  return { done: tallies.run(tally, work), pausedMs: () => tally.pausedMs }
}

/** Returns the milliseconds that a function asks to pause for until it ends. */
export async function pausesOf(work: () => Promise<unknown>): Promise<number> {
  const { done, pausedMs } = countPauses(work)
  await done
  return pausedMs()
}
