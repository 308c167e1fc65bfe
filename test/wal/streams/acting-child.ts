// Run as its own process: acts on streams, prints each finished act, and may kill itself on the way.
import { writeFileSync, writeSync } from 'node:fs'
import { nodeJournalDisk } from '../../../src/wal/streams/journal/index.ts'
import { openRealStore, perform, type RealPlace, type StreamDeed } from './real-store.ts'

export interface ActingOrder extends RealPlace {
  readonly deeds: readonly StreamDeed[]
  /** The step of the acts, from 1, at which the process kills itself; 0 to end well. */
  readonly dieAt: number
  /** A file for its process id, for a hook that kills it. */
  readonly pidFile?: string
}

/** A finished act; last, the number of all steps. */
export interface ActingLine {
  readonly index?: number
  readonly offset?: number | null
  readonly steps?: number
}

const diskSteps = ['create', 'write', 'flush', 'link', 'remove', 'flushFolder'] as const

const order = JSON.parse(process.argv[2] ?? '') as ActingOrder
let steps = 0
const step = (): void => {
  steps += 1
  if (steps === order.dieAt) process.kill(process.pid, 'SIGKILL')
}
for (const name of diskSteps) {
  const real = nodeJournalDisk[name] as (...args: readonly unknown[]) => unknown
  Object.assign(nodeJournalDisk, {
    [name]: (...args: readonly unknown[]): unknown => {
      step()
      return real(...args)
    },
  })
}
if (order.pidFile !== undefined) writeFileSync(order.pidFile, String(process.pid))
const tell = (line: ActingLine) => writeSync(1, `${JSON.stringify(line)}\n`)
const place = await openRealStore(order, { hooks: { at: step }, warn: (reason) => writeSync(2, `${reason}\n`) })
const { push } = place.remotes
Object.assign(place.remotes, {
  push: async (...args: Parameters<typeof push>) => {
    step()
    const rows = await push(...args)
    step()
    return rows
  },
})
const store = place.open()
for (const [index, deed] of order.deeds.entries()) tell({ index, offset: await perform(place, store, deed) })
await store.close()
await place.git.close()
tell({ steps })
