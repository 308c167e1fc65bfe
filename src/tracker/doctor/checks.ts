import { actorConfig, legacyActorSleds } from './actor-checks.ts'
import type { Check } from './check.ts'
import { logGaps, unreadRefs } from './gap-checks.ts'
import { dependencyCycles, parentCycles } from './graph-checks.ts'
import { leftovers } from './leftovers.ts'
import { lockRefs } from './lock-check.ts'
import { futureEvents, logIntegrity, repeatedEvents, walRefCheck } from './log-checks.ts'
import { looseObjects } from './loose-objects.ts'
import { looseRefs } from './loose-refs.ts'
import { remoteDivergence } from './remote-divergence.ts'
import { configFile, gitRepo, gitVersion } from './repository-checks.ts'
import { actorCards, signatures } from './signature-checks.ts'
import { snapshots } from './snapshot-check.ts'
import { divergedStreams, recordStreams, streamJournals } from './stream-checks.ts'
import { rebuildThreshold, storeIntegrity, viewMatchesLog } from './view-checks.ts'

/** Every check, in the order of reports and fixes. A released id is never reused. */
export const checks: readonly Check[] = [
  gitRepo,
  gitVersion,
  configFile,
  walRefCheck,
  unreadRefs,
  logGaps,
  logIntegrity,
  repeatedEvents,
  futureEvents,
  remoteDivergence,
  actorConfig,
  storeIntegrity,
  viewMatchesLog,
  rebuildThreshold,
  legacyActorSleds,
  dependencyCycles,
  parentCycles,
  signatures,
  actorCards,
  lockRefs,
  snapshots,
  recordStreams,
  streamJournals,
  divergedStreams,
  leftovers,
  looseObjects,
  looseRefs,
]
