import { type PushedRef, showRemote } from '../../git/index.ts'
import { makeVisible, RemoteError } from '../../model/index.ts'
import { isAllSent, settleClaims } from '../../tracker/claims/settle-claims.ts'
import type { Warning } from '../../tracker/effects.ts'
import { collectLocalByTheWay, collectRemoteByTheWay } from '../../tracker/locks/collect.ts'
import { connectImports } from '../../tracker/sync/connect-imports.ts'
import { chooseRemote } from '../../tracker/sync/remote-name.ts'
import { type RepositorySync, runSync, type SyncDirections } from '../../tracker/sync/run-sync.ts'
import type { SnapshotSync } from '../../tracker/sync/sync-snapshots.ts'
import { describeGaps, type LogGaps, walRef } from '../../wal/index.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'

export const sync = defineCommand({
  name: 'sync',
  summary: 'Bring the log together with a remote',
  description:
    'Fetches the log of the remote, puts what only this clone has on top of it, and pushes that. Nothing is ever ' +
    'forced, and no event is lost or written twice, whatever was written meanwhile. Works with whatever `git fetch` works ' +
    'with; your branches, tags and hooks are left alone.',
  examples: [
    { command: 'grite sync', explains: 'both ways, with the home remote' },
    { command: 'grite sync --pull', explains: 'only take in what others wrote' },
    { command: 'grite sync --remote backup', explains: 'with another remote' },
  ],
  arguments: {},
  options: {
    pull: { type: 'boolean', summary: 'Only take in what the remote has' },
    push: { type: 'boolean', summary: 'Only send what the remote lacks' },
    remote: {
      type: 'text',
      valueName: 'name',
      summary: 'Remote or address; default the home remote, origin',
      completes: 'remote',
    },
  },
  async run(context, input) {
    const repository = await context.repository()
    const remote = await chooseRemote(repository, context.cwd, input.remote)
    // Both together mean what neither means.
    const both = input.pull === input.push
    const directions = { pull: both || input.pull, push: both || input.push }
    if (directions.push) await repository.respectRepositoryLocks()
    const first = await runSync(context, repository, remote, directions)
    const shown = showRemote(remote.name)
    if (first.remoteChange !== null) context.warn(warningOf(shown, first))
    if (first.othersUnread !== null) {
      const message = `only the log was fetched, not snapshots, locks and leases: ${first.othersUnread}`
      context.warn({ code: 'remote-refs-unread', message, details: { remote: shown } })
    }
    for (const { prefix, foundCount, followedCount } of first.leftOut) {
      const message = `'${shown}' has ${foundCount} refs below ${prefix}; ${followedCount} of them are looked at, the others passed over`
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
      const message = `object ${objectId ?? commit} of ${log} could not be read and stays behind: ${reason}`
      context.warn({ code: 'log-unread', message, details: { object_id: objectId, commit } })
    }
    const claims = await settleClaims(repository, remote.name, directions)
    const connected = directions.pull ? await connectImports(repository, context.clock.nowUnixMs) : 0
    // A lost claim took its assignee off after the push, and edges of imports were added.
    const hasMore = claims.lost.length > 0 || connected > 0
    const mustSend = hasMore && directions.push && first.refused === null
    const isSent = !mustSend || (await isAllSent(repository, remote.name))
    const result = isSent ? first : joinSyncs(first, await runSync(context, repository, remote, directions))
    const mayCollect = directions.push && result.refused === null
    const collected = mayCollect ? await collectRemoteByTheWay(repository, remote.name, context) : 0
    await collectLocalByTheWay(repository)
    const data = { ...describe(shown, directions, result), claims: { ...claims, collected } }
    if (result.refused !== null) throw refusal(shown, result, data)
    return { data }
  },
})

export type SyncInput = GivenInput<typeof sync>
export type SyncData = DataOf<typeof sync>

/** Two syncs of one command as one. */
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

/** Null where the log was whole, or is now. */
function describeCompletion(remote: string, { completion }: RepositorySync): Warning | null {
  if (completion === null || completion.outcome === 'whole') return null
  const message =
    completion.outcome === 'failed'
      ? `git could not complete the log from '${remote}': ${completion.reason}`
      : `the log of '${remote}' is cut off there, too: that repository is a shallow clone`
  return { code: 'log-not-completed', message, details: { remote, reason: completion.outcome } }
}

function warningOf(remote: string, { remoteChange, pushed }: RepositorySync) {
  const sent = pushed ? 'it was sent again' : 'the next push sends it again'
  const message =
    remoteChange === 'lost'
      ? `'${remote}' has lost its log since it was last seen; nothing is missing here, and ${sent}`
      : `the log of '${remote}' was moved back or replaced; nothing is missing here, and ${sent}`
  return { code: `remote-${remoteChange}`, message, details: { remote } }
}

/** The keys of every documented form of the answer, whatever was asked for. */
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
  const onTop = rejoined === 0 ? '' : `, ${count(rejoined)} on top of what others wrote`
  const refusal = refused === null ? '' : `${remote} refused the log: ${refused.reason}`
  const sent = refusal !== '' ? refusal : pushed ? `Pushed to ${remote}${onTop}` : 'Nothing to push'
  if (!push) return taken
  if (!pull) return sent
  if (pulledEvents > 0) return `${taken} / ${sent}`
  return pushed || refused !== null ? sent : taken
}

const count = (events: number): string => `${events} ${events === 1 ? 'event' : 'events'}`

/** receive-pack.c, update() and execute_commands_atomic(). git 2.55 says of a ref whose lock file is there that it exists. */
const lockedThere =
  /failed to (update|lock) ref|cannot lock ref|unable to lock|failed to start transaction|already exists/

/** What was pulled stays; a caller that asked for a push must not take this for one. */
function refusal(remote: string, { refused, gaps }: RepositorySync, data: object): RemoteError {
  const { reason } = refused as PushedRef
  return new RemoteError(`'${remote}' refused the log: ${makeVisible(reason)}`, {
    details: { remote, reason: 'rejected', remote_message: reason, ...data },
    hints: [whyRefused(reason, gaps), 'What you wrote is safe in this clone; the next sync tries again'],
  })
}

function whyRefused(reason: string, gaps: LogGaps): string {
  if (gaps.count > 0) {
    return `The log ${describeGaps(gaps)}, and git sends no log without it; \`grite doctor\` says what can be done`
  }
  return lockedThere.test(reason)
    ? `The ref is locked there: a push is at work, or one that was killed has left \`${walRef}.lock\` in that repository`
    : 'A hook or rule of the host decides that; some hosts take only branches and tags'
}
