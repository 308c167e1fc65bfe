import { type ErrorDetails, UnusableSnapshotError } from '../../model/index.ts'
import type { JudgeSnapshot } from '../../view/index.ts'
import type { Snapshot } from '../../wal/index.ts'
import type { Workspace } from '../workspace.ts'
import { describeDifference, type SnapshotStanding, SnapshotTrust } from './snapshot-trust.ts'

export interface SnapshotUse {
  /** Whether to use an unknown snapshot without a check. A refused one stays refused. */
  readonly trustUnchecked?: boolean
}

/** Maximum number of snapshots checked per rebuild. A check takes about a fifth of the time of a rebuild. */
const checksMax = 3

/**
 * Judges snapshots for a rebuild: refuses those that differ from the log, and checks unknown ones against the log, beside
 * the rebuild. The judge throws an `UnusableSnapshotError` for a snapshot that must not be used.
 */
export function judgeForUse(
  repository: Workspace,
  { trustUnchecked = false }: SnapshotUse = {},
): JudgeSnapshot<SnapshotStanding> {
  const trust = new SnapshotTrust(repository)
  let checks = 0
  return async (snapshot) => {
    const found = await trust.find(snapshot)
    const needsCheck = found.verdict === 'unchecked' && !trustUnchecked
    if (needsCheck && ++checks > checksMax)
      throw unusable(snapshot, 'it is unchecked, and other snapshots failed the check')
    if (!needsCheck) return { licence: requireUsable(snapshot, found) }
    return { licence: trust.judge(snapshot).then((standing) => requireUsable(snapshot, standing)) }
  }
}

function requireUsable(snapshot: Snapshot, standing: SnapshotStanding): SnapshotStanding {
  if (standing.whyUnchecked !== undefined) {
    throw unusable(snapshot, `it cannot be checked against the log: ${standing.whyUnchecked}`)
  }
  if (standing.verdict !== 'refused') return standing
  const { missing, added } = standing
  const reason = `${describeDifference(standing)}; commit ${snapshot.oid} is refused for good`
  throw unusable(snapshot, reason, { missing, added })
}

function unusable({ ref, oid }: Snapshot, reason: string, details: ErrorDetails = {}): UnusableSnapshotError {
  return new UnusableSnapshotError(`${ref}: ${reason}`, { details: { ref, oid, reason, ...details } })
}
