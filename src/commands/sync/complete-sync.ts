/** Everything of a sync after the start of its fetch. */
import { type PushedRef, showRemote } from '../../git/index.ts'
import { makeVisible, RemoteError } from '../../model/index.ts'
import { isAllSent, settleClaims } from '../../tracker/claims/settle-claims.ts'
import type { CommandContext, Warning } from '../../tracker/effects.ts'
import { autoCollectLocal, autoCollectRemote } from '../../tracker/locks/collect.ts'
import type { BegunSync } from '../../tracker/sync/begin-sync.ts'
import { connectImports } from '../../tracker/sync/connect-imports.ts'
import type { ChosenRemote } from '../../tracker/sync/remote-name.ts'
import { type RepositorySync, runSync, type SyncDirections } from '../../tracker/sync/run-sync.ts'
import type { SnapshotSync } from '../../tracker/sync/sync-snapshots.ts'
import type { Workspace } from '../../tracker/workspace.ts'
import { describeGaps, type LogGaps, walRef } from '../../wal/index.ts'

interface SyncStart {
  readonly remote: ChosenRemote
  readonly directions: SyncDirections
  readonly begun: BegunSync
}

/**
 * Completes a sync, and updates everything that depends on what it fetched.
 * @throws {RemoteError} when the remote refused the log
 */
export async function completeSync(
  context: CommandContext,
  repository: Workspace,
  { remote, directions, begun }: SyncStart,
) {
  const first = await runSync(context, repository, remote, directions, begun)
  const shown = showRemote(remote.name)
  if (first.remoteChange !== null) context.warn(warningOf(shown, first))
  if (first.othersUnread !== null) {
    const message = `fetched only the log, not snapshots, locks and leases: ${first.othersUnread}`
    context.warn({ code: 'remote-refs-unread', message, details: { remote: shown } })
  }
  for (const { prefix, foundCount, followedCount } of first.leftOut) {
    const message = `'${shown}' has ${foundCount} refs below ${prefix}; only ${followedCount} of them were read`
    context.warn({ code: 'remote-refs-left-out', message, details: { remote: shown, prefix, count: foundCount } })
  }
  const completion = describeCompletion(shown, first)
  if (completion !== null) context.warn(completion)
  const unread = [
    ...first.unread.map((problem) => ({ problem, log: 'the local log' })),
    ...first.unreadOfRemote.map((problem) => ({ problem, log: `the log of '${shown}'` })),
  ]
  for (const { problem, log } of unread) {
    const { objectId, commit, reason } = problem
    const message = `could not read object ${objectId ?? commit} of ${log}, skipped it: ${reason}`
    context.warn({ code: 'log-unread', message, details: { object_id: objectId, commit } })
  }
  const claims = await settleClaims(repository, remote.name, directions)
  const connected = directions.pull ? await connectImports(repository, context.clock.nowUnixMs) : 0
  // Losing a claim removes its assignee, and connecting imports adds edges: push these events too.
  const hasMore = claims.lost.length > 0 || connected > 0
  const mustSend = hasMore && directions.push && first.refused === null
  const isSent = !mustSend || (await isAllSent(repository, remote.name))
  const result = isSent ? first : joinSyncs(first, await runSync(context, repository, remote, directions))
  const mayCollect = directions.push && result.refused === null
  const collected = mayCollect ? await autoCollectRemote(repository, remote.name, context) : 0
  await autoCollectLocal(repository)
  const data = { ...describe(shown, directions, result), claims: { ...claims, collected } }
  if (result.refused !== null) throw refusal(shown, result, data)
  return data
}

/** Combines the results of the two syncs of one command. */
function joinSyncs(first: RepositorySync, second: RepositorySync): RepositorySync {
  return {
    ...second,
    pulledEvents: first.pulledEvents + second.pulledEvents,
    rejoined: first.rejoined + second.rejoined,
    pushed: first.pushed || second.pushed,
    rounds: first.rounds + second.rounds,
    snapshots: addSnapshots(first.snapshots, second.snapshots),
  }
}

function addSnapshots(left: SnapshotSync, right: SnapshotSync): SnapshotSync {
  return {
    adopted: left.adopted + right.adopted,
    dropped: left.dropped + right.dropped,
    pushed: left.pushed + right.pushed,
    deleted: left.deleted + right.deleted,
    refused: left.refused + right.refused,
  }
}

/** Null when the log was complete, or is complete now. */
function describeCompletion(remote: string, { completion }: RepositorySync): Warning | null {
  if (completion === null || completion.outcome === 'whole') return null
  const message =
    completion.outcome === 'failed'
      ? `git could not complete the log from '${remote}': ${completion.reason}`
      : `the log of '${remote}' is incomplete, too: that repository is a shallow clone`
  return { code: 'log-not-completed', message, details: { remote, reason: completion.outcome } }
}

function warningOf(remote: string, { remoteChange, pushed }: RepositorySync) {
  const sent = pushed ? 'it was pushed again' : 'the next push restores it'
  const message =
    remoteChange === 'lost'
      ? `'${remote}' has lost its log since the last sync; this clone still has it, and ${sent}`
      : `the log of '${remote}' was moved back or replaced; this clone still has it, and ${sent}`
  return { code: `remote-${remoteChange}`, message, details: { remote } }
}

/** Returns the keys of every documented form of the answer, for any direction. */
function describe(remote: string, { pull, push }: SyncDirections, result: RepositorySync) {
  const { pulledEvents, rejoined, after, remoteHead, pushed, refused, snapshots, rounds } = result
  const accepted = push && refused === null
  return {
    success: refused === null,
    remote,
    pulled: pull,
    pushed: push && refused === null,
    events: pulledEvents,
    pull_events: pulledEvents,
    wal_head: after,
    pull_wal_head: after,
    remote_wal_head: remoteHead,
    push_success: accepted,
    push_changed: pushed,
    rebased: rejoined > 0,
    push_rebased: rejoined > 0,
    events_rebased: rejoined,
    push_events_rebased: rejoined,
    backfilled: 0,
    snapshots,
    rounds,
    message: messageOf(remote, { pull, push }, result),
  }
}

function messageOf(remote: string, { pull, push }: SyncDirections, result: RepositorySync): string {
  const { pulledEvents, rejoined, pushed, refused } = result
  const taken = pulledEvents === 0 ? 'Already up to date' : `Pulled ${count(pulledEvents)}`
  const onTop = rejoined === 0 ? '' : `, ${count(rejoined)} re-appended on top of the remote log`
  const refusal = refused === null ? '' : `${remote} refused the log: ${refused.reason}`
  const sent = refusal !== '' ? refusal : pushed ? `Pushed to ${remote}${onTop}` : 'Nothing to push'
  if (!push) return taken
  if (!pull) return sent
  if (pulledEvents > 0) return `${taken} / ${sent}`
  return pushed || refused !== null ? sent : taken
}

const count = (events: number): string => `${events} ${events === 1 ? 'event' : 'events'}`

/** See receive-pack.c, update() and execute_commands_atomic(). For a locked ref, git 2.55 reports that it already exists. */
const lockedThere =
  /failed to (update|lock) ref|cannot lock ref|unable to lock|failed to start transaction|already exists/

/** A refused push is an error even if the pull succeeded: the caller must not assume that its events arrived. */
function refusal(remote: string, { refused, gaps }: RepositorySync, data: object): RemoteError {
  const { reason } = refused as PushedRef
  return new RemoteError(`'${remote}' refused the log: ${makeVisible(reason)}`, {
    details: { remote, reason: 'rejected', remote_message: reason, ...data },
    hints: [whyRefused(reason, gaps), 'Your events are safe in this clone; the next sync retries the push'],
  })
}

function whyRefused(reason: string, gaps: LogGaps): string {
  if (gaps.count > 0) {
    return `The log ${describeGaps(gaps)}, and git cannot push an incomplete log; run \`grite doctor\``
  }
  return lockedThere.test(reason)
    ? `The ref is locked there: a push is running, or a killed one left \`${walRef}.lock\` in that repository`
    : 'A hook or a rule of the host refused the push; some hosts accept only branches and tags'
}
