import { killedSyncs, momentsBetweenSteps } from '../sync/killed-syncs.ts'

killedSyncs(momentsBetweenSteps)
