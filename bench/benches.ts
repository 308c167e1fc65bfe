import type { Bench } from './bench.ts'
import { diskBench, filterBench, importBench, parallelBench, rebuildBench } from './bulk.ts'
import { createBench, listBench } from './commands.ts'
import { readyBench } from './ready.ts'
import { sharedBench } from './shared.ts'
import { snapshotBench } from './snapshot.ts'
import { idleSyncBench, syncBench } from './sync.ts'

export const benches: readonly Bench[] = [
  createBench,
  listBench,
  importBench,
  rebuildBench,
  snapshotBench,
  filterBench,
  readyBench,
  parallelBench,
  sharedBench,
  diskBench,
  syncBench,
  idleSyncBench,
]
