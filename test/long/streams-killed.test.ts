import { killAtSteps, killInHooks } from '../wal/streams/killed-acts.ts'

killAtSteps(4)
killInHooks()
