/** The point at which a process of a test kills itself: in its nth publish, in a sync, or in its nth batch into a view. */
import { ClassicLevel } from 'classic-level'
import type { PublishPoint } from '../../src/git/index.ts'
import type { SyncPoint } from '../../src/wal/index.ts'

export type DieAt =
  | { readonly publish: PublishPoint; readonly nth: number }
  | { readonly viewBatch: 'before' | 'inside' | 'after'; readonly nth: number }
  | { readonly viewPut: string }
  | { readonly sync: SyncPoint }

export const die = () => process.kill(process.pid, 'SIGKILL')

/** Makes LevelDB kill this process, where the point is in the view. */
export function dieInView(dieAt: DieAt | undefined): void {
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
}

/** A hook into the publishes of this process, where the point is in one. */
export function dieInPublish(dieAt: DieAt | undefined): (point: PublishPoint) => void {
  let publishes = 0
  return (point) => {
    if (dieAt === undefined || !('publish' in dieAt) || point !== dieAt.publish) return
    publishes += 1
    if (publishes === dieAt.nth) die()
  }
}
