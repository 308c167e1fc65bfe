import { it } from 'node:test'
import { runMixedLoad } from '../support/mixed-load.ts'

it('400 reads and writes in one process, beside others and a git that moves the log back', (t) =>
  runMixedLoad(t, { requests: 400, processes: 2, writesPerProcess: 5 }))
