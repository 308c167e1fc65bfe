import { killedSyncs, momentsBetweenSteps } from './killed-syncs.ts'

killedSyncs(momentsBetweenSteps)
