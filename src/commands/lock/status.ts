import { describeWrongClock, issueOfResource, issueResource, makeVisible, resourcesOverlap } from '../../model/index.ts'
import { actorNames } from '../../tracker/identity/actor-names.ts'
import { describeIssues, type MentionedIssue } from '../../tracker/issues/describe-issues.ts'
import {
  isReadable,
  type ReadableLock,
  readKnownLocks,
  type SeenLock,
  stateOfLock,
  termsOf,
} from '../../tracker/locks/known-locks.ts'
import { nameRemotes } from '../../tracker/locks/remote-names.ts'
import type { Workspace } from '../../tracker/workspace.ts'
import { splitTrackingRef } from '../../wal/index.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { headerOption } from '../header-option.ts'
import { choosePlace, placeOptions, settleResource } from './lock-input.ts'

export const lockStatus = defineCommand({
  name: 'lock status',
  summary: 'Show locks with holder and expiry',
  description: [
    'Shows the locks of this clone and, as of the last fetch, the leases on remotes and the locks that clones of the Rust',
    'tool pushed there. With `--remote` it fetches first. Unreadable locks are listed separately.',
  ].join(' '),
  examples: [
    { command: 'grite lock status', explains: 'all locks known to this clone' },
    { command: 'grite lock status path:src --remote', explains: 'locks that overlap path:src, freshly fetched' },
  ],
  served: { unless: ['remote'] },
  effect: 'reads',
  arguments: {
    resource: { summary: 'Only locks that overlap this resource', optional: true },
  },
  options: {
    resource: { type: 'text', valueName: 'resource', summary: 'The resource, in place of the argument' },
    ...placeOptions,
    ...headerOption,
  },
  async run(context, input) {
    const repository = await context.repository()
    if (input.remote !== undefined) await (await choosePlace(repository, input)).refresh()
    const sights = await readKnownLocks(repository)
    const seen = input.local ? sights.filter(({ level }) => level === 'local') : sights
    const wanted = input.resource === undefined ? null : await settleResource(repository, input.resource)
    const readable = seen
      .filter(isReadable)
      .filter(({ found }) => wanted === null || resourcesOverlap(found.lock.resource, wanted))
    const describe = await describer(repository, seen, context.clock.nowUnixMs())
    const locks = readable.map(describe.lock)
    for (const { wrong_clock, resource } of locks) {
      if (wrong_clock === null) continue
      const message = `the lock on ${makeVisible(resource)} has an implausible time: ${wrong_clock}; a clock is wrong`
      context.warn({ code: 'wrong-clock', message, details: { resource } })
    }
    const malformed = seen.filter((sight) => !isReadable(sight)).map(describe.malformed)
    return { data: { locks, total: locks.length, conflicts: conflictsOf(locks, wanted), malformed } }
  },
})

export type LockStatusInput = GivenInput<typeof lockStatus>
export type LockStatusData = DataOf<typeof lockStatus>

interface LockRow {
  readonly resource: string
  readonly owner: string
  readonly is_own: boolean
  readonly state: string
}

/**
 * Live locks in conflict. With a resource: locks of others that overlap it. Without one: locks that overlap a live lock of
 * another owner, which the Rust tool allows.
 */
function conflictsOf<Row extends LockRow>(locks: readonly Row[], wanted: string | null): Row[] {
  const live = locks.filter(({ state }) => state === 'live')
  if (wanted !== null) return live.filter(({ is_own }) => !is_own)
  return live.filter((one) =>
    live.some((other) => other.owner !== one.owner && resourcesOverlap(one.resource, other.resource)),
  )
}

/** Titles of locked issues, by resource. */
async function titlesOf(
  repository: Workspace,
  sights: readonly SeenLock[],
): Promise<ReadonlyMap<string, MentionedIssue>> {
  const ids = sights.flatMap(({ found }) => issueOfResource(found.lock?.resource ?? '') ?? [])
  if (ids.length === 0) return new Map()
  const issues = await describeIssues(await repository.view(), [...new Set(ids)])
  return new Map(
    issues.filter(({ state }) => state !== null).map((issue) => [issueResource(issue.issue_id), issue] as const),
  )
}

/** Functions that turn locks into rows of the data. */
async function describer(repository: Workspace, sights: readonly SeenLock[], nowUnixMs: number) {
  const remotes = await nameRemotes(repository, sights)
  const owners = sights.flatMap(({ found }) => found.lock?.owner ?? [])
  const names =
    owners.length === 0 ? new Map<string, string>() : await actorNames(repository, await repository.view(), owners)
  const self = (await repository.findActor())?.actor.id
  const titles = await titlesOf(repository, sights)
  const placeOf = ({ level, kind, remotePart, found }: SeenLock) => ({
    level,
    kind,
    remote: remotes.get(remotePart) ?? null,
    ref: level === 'local' ? found.ref : splitTrackingRef(found.ref).remoteRef,
  })
  return {
    lock(sight: ReadableLock) {
      const { lock, committedAtUnixMs } = sight.found
      const state = stateOfLock(sight, nowUnixMs)
      return {
        resource: lock.resource,
        owner: lock.owner,
        owner_label: names.get(lock.owner) ?? lock.claim?.assignee ?? null,
        is_own: lock.owner === self,
        nonce: lock.nonce,
        expires_unix_ms: lock.expiresUnixMs,
        time_remaining_seconds: state === 'live' ? Math.max(0, Math.floor((lock.expiresUnixMs - nowUnixMs) / 1000)) : 0,
        expired: state !== 'live',
        state,
        ...placeOf(sight),
        fence: lock.fence,
        claim: lock.claim !== null,
        title: titles.get(lock.resource)?.title ?? null,
        short_id: titles.get(lock.resource)?.short_id ?? null,
        wrong_clock: describeWrongClock(lock, { committedAtUnixMs, nowUnixMs, terms: termsOf(sight) }),
      }
    },
    malformed(sight: SeenLock) {
      return { ...placeOf(sight), problem: sight.found.problem }
    },
  }
}
