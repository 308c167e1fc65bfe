import { AsyncLocalStorage } from 'node:async_hooks'
import { syncBuiltinESMExports } from 'node:module'
import timers from 'node:timers/promises'

/** Adds up the pauses of the work that runs in it. */
const tallies = new AsyncLocalStorage<{ pausedMs: number }>()

const { setTimeout: sleep } = timers
timers.setTimeout = <Value>(...args: Parameters<typeof sleep<Value>>) => {
  const tally = tallies.getStore()
  if (tally !== undefined) tally.pausedMs += args[0] ?? 0
  return sleep<Value>(...args)
}
syncBuiltinESMExports()

/**
 * Counts the milliseconds that a work asks to pause for, in this process: a measure of waiting that knows no clock. Works
 * that run beside it do not count.
 */
export function countPauses<Result>(work: () => Promise<Result>): {
  readonly done: Promise<Result>
  readonly pausedMs: () => number
} {
  const tally = { pausedMs: 0 }
  return { done: tallies.run(tally, work), pausedMs: () => tally.pausedMs }
}

/** As `countPauses`, of a work that ends. */
export async function pausesOf(work: () => Promise<unknown>): Promise<number> {
  const { done, pausedMs } = countPauses(work)
  await done
  return pausedMs()
}
