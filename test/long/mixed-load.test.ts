import { it } from 'node:test'
import { runMixedLoad } from '../support/mixed-load.ts'

it('400 reads and writes survive other processes and a log moved back', (t) =>
  runMixedLoad(t, { requests: 400, processes: 2, writesPerProcess: 5 }))
