import { killedSyncs, momentsOfPublishing } from '../sync/killed-syncs.ts'

killedSyncs(momentsOfPublishing)
