// A program that the crash tests run: runs commands and may kill itself.
import { ClassicLevel } from 'classic-level'
import type { PublishPoint } from '../../src/git/index.ts'
import type { SyncPoint } from '../../src/wal/index.ts'
import { commandRunner } from './command-runner.ts'

export interface CommandOrder {
  readonly cwd: string
  readonly environment: Readonly<Record<string, string>>
  readonly commands: readonly { readonly name: string; readonly input: Readonly<Record<string, unknown>> }[]
  /** The point at which the process kills itself: in its nth publish, in a sync, or in its nth batch into a view. */
  readonly dieAt?:
    | { readonly publish: PublishPoint; readonly nth: number }
    | { readonly viewBatch: 'before' | 'inside' | 'after'; readonly nth: number }
    | { readonly viewPut: string }
    | { readonly sync: SyncPoint }
}

const order = JSON.parse(process.argv[2] ?? '') as CommandOrder
const { dieAt } = order
const die = () => process.kill(process.pid, 'SIGKILL')

if (dieAt !== undefined && 'viewBatch' in dieAt) {
  const { batch } = ClassicLevel.prototype as unknown as { batch(...args: unknown[]): Promise<void> }
  let batches = 0
  Object.defineProperty(ClassicLevel.prototype, 'batch', {
    async value(this: unknown, ...args: unknown[]) {
      batches += 1
      if (batches !== dieAt.nth) return batch.apply(this, args)
      if (dieAt.viewBatch === 'before') die()
      const written = batch.apply(this, args)
      // LevelDB's thread is writing the batch now.
      if (dieAt.viewBatch === 'inside') die()
      await written
      die()
    },
  })
}
if (dieAt !== undefined && 'viewPut' in dieAt) {
  const { put } = ClassicLevel.prototype as unknown as { put(...args: unknown[]): Promise<void> }
  Object.defineProperty(ClassicLevel.prototype, 'put', {
    value(this: unknown, ...args: unknown[]) {
      if (String(args[0]) === dieAt.viewPut) die()
      return put.apply(this, args)
    },
  })
}

let publishes = 0
const runner = commandRunner({
  cwd: order.cwd,
  env: order.environment,
  atSync(point) {
    if (dieAt !== undefined && 'sync' in dieAt && dieAt.sync === point) die()
  },
  gitOptions: {
    hooks: {
      at(point) {
        if (dieAt === undefined || !('publish' in dieAt) || point !== dieAt.publish) return
        publishes += 1
        if (publishes === dieAt.nth) die()
      },
    },
  },
})
for (const { name, input } of order.commands) {
  const data = await runner.run(name, input)
  process.stdout.write(`${JSON.stringify(data)}\n`)
}
