import { showRemote } from '../../git/index.ts'
import { hasLeftBehind, issueOfResource, type Lock, makeVisible, RefMovedError } from '../../model/index.ts'
import type { View } from '../../view/index.ts'
import { deleteLock, encodeRefPart, noteRemoteHead, splitTrackingRef } from '../../wal/index.ts'
import { defineCommand } from '../define-command.ts'
import { readRepoConfig } from '../local/repo-config.ts'
import type { Repository } from '../repository.ts'
import { isReadable, type LockInSight, locksInSight, type ReadableLock, stateInSight } from './in-sight.ts'
import { choosePlace, placeOptions } from './lock-input.ts'

export const lockGc = defineCommand({
  name: 'lock gc',
  summary: 'Delete locks whose time is over',
  description: [
    'Deletes ended locks of this clone. A claim that ended is kept as long as its assignee stands, since it tells that the',
    'issue is free. With `--remote` it deletes instead what clones of the Rust tool have left on the remote: there an ended',
    'lock can keep them from pushing. Live ones, leases and what cannot be read stay.',
  ].join(' '),
  examples: [
    { command: 'grite lock gc', explains: 'tidy this clone' },
    { command: 'grite lock gc --remote origin', explains: 'help out clones of the Rust tool' },
  ],
  arguments: {},
  options: { remote: placeOptions.remote },
  async run(context, input) {
    const repository = await context.repository()
    const nowUnixMs = context.clock.nowUnixMs()
    const place = await choosePlace(repository, { remote: input.remote, local: input.remote === undefined })
    await place.refresh()
    const { remote } = place
    const data =
      remote === null ? await collectLocal(repository, nowUnixMs) : await collectRemote(repository, remote, nowUnixMs)
    for (const { ref, reason } of data.refused) {
      const message = `'${data.remote}' does not let go of ${ref}: ${makeVisible(reason)}`
      context.warn({ code: 'lock-kept', message, details: { ref } })
    }
    return { data: { ...data, expired_pruned: data.removed }, exitStatus: data.refused.length > 0 ? 1 : 0 }
  },
})

interface Collected {
  readonly removed: number
  readonly kept: number
  readonly level: 'local' | 'remote'
  readonly remote: string | null
  /** What the remote would not delete, and why. */
  readonly refused: readonly { readonly ref: string; readonly reason: string }[]
}

/** Deletes the locks of this clone that ended and tell nothing any more, each from the very value that was judged. */
export async function collectLocal(repository: Repository, nowUnixMs: number): Promise<Collected> {
  const locks = (await locksInSight(repository)).filter(({ level }) => level === 'local')
  let removed = 0
  for (const sight of locks.filter(isReadable)) {
    if (
      stateInSight(sight, nowUnixMs) === 'live' ||
      (await tellsOfFreeIssue(() => repository.view(), sight.found.lock))
    )
      continue
    if (await deleteUnlessMoved(repository, sight)) removed += 1
  }
  return { removed, kept: locks.length - removed, level: 'local', remote: null, refused: [] }
}

async function deleteUnlessMoved({ git }: Repository, { found }: ReadableLock): Promise<boolean> {
  try {
    await deleteLock(git, found.ref, found.oid)
    return true
  } catch (error) {
    if (error instanceof RefMovedError) return false
    throw error
  }
}

/** Without the lock of an ended claim its assignee would seem to be at work. */
export async function tellsOfFreeIssue(openView: () => Promise<View>, lock: Lock): Promise<boolean> {
  const issueId = issueOfResource(lock.resource)
  if (issueId === null || lock.claim === null) return false
  const state = await (await openView()).findIssue(issueId)
  return state !== undefined && hasLeftBehind(state, [lock])
}

function isRustLockOf({ level, kind, remotePart }: LockInSight, remote: string): boolean {
  return level === 'remote' && kind === 'lock' && remotePart === encodeRefPart(remote)
}

/** Deletes on a remote, each from the very value that was judged. */
async function collectRemote(repository: Repository, remote: string, nowUnixMs: number): Promise<Collected> {
  const { git, remotes, paths } = repository
  const locks = (await locksInSight(repository)).filter((sight) => isRustLockOf(sight, remote))
  const ended = locks.filter(isReadable).filter((sight) => stateInSight(sight, nowUnixMs) !== 'live')
  const updates = ended.map(({ found }) => ({
    ref: splitTrackingRef(found.ref).remoteRef,
    next: null,
    expected: found.oid,
  }))
  const { sync } = await readRepoConfig(paths.config)
  const results = await remotes.push({ remote, updates, atomic: false, runHooks: sync.runHooks })
  let removed = 0
  for (const [index, { outcome }] of results.entries()) {
    if (outcome !== 'ok') continue
    removed += 1
    const { found } = ended[index] as ReadableLock
    await noteRemoteHead(git, found.ref, found.oid, null)
  }
  const refused = results
    .filter(({ outcome }) => outcome === 'rejected')
    .map(({ ref, reason }): Collected['refused'][number] => ({ ref, reason }))
  return { removed, kept: locks.length - removed, level: 'remote', remote: showRemote(remote), refused }
}
