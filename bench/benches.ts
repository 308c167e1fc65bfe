import type { Bench } from './bench.ts'
import { diskBench, filterBench, importBench, parallelBench, rebuildBench } from './bulk.ts'
import { createBench, listBench, versionBench } from './commands.ts'
import { contextIndexBench, contextQueryBench } from './context.ts'
import { contextRepositoryBench } from './context-repository.ts'
import { daemonBench, daemonLoadBench } from './daemon.ts'
import { manyWritersBench } from './many-writers.ts'
import { readyBench } from './ready.ts'
import { snapshotBench } from './snapshot.ts'
import { streamBenches } from './streams/benches.ts'
import { bundled } from './streams/bundled.ts'
import { idleSyncBench, syncBench } from './sync.ts'

export const benches: readonly Bench[] = [
  versionBench,
  createBench,
  listBench,
  importBench,
  rebuildBench,
  snapshotBench,
  filterBench,
  readyBench,
  parallelBench,
  manyWritersBench,
  daemonBench,
  daemonLoadBench,
  diskBench,
  syncBench,
  idleSyncBench,
  contextIndexBench,
  contextRepositoryBench,
  contextQueryBench,
  ...streamBenches.map(bundled),
]
