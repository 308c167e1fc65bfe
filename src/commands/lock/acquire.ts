import { showRemote } from '../../git/index.ts'
import type { CommandContext } from '../../tracker/effects.ts'
import { acquireLock, type Held, renewLock } from '../../tracker/locks/hold.ts'
import { readKnownLocks } from '../../tracker/locks/known-locks.ts'
import type { Workspace } from '../../tracker/workspace.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import {
  chooseWhere,
  findHeld,
  type HeldLock,
  placeAt,
  placeOptions,
  readTtl,
  requireKnownIssue,
  resourceArgument,
  resourceOption,
  settleResource,
  ttlOption,
} from './lock-input.ts'

export const lockAcquire = defineCommand({
  name: 'lock acquire',
  summary: 'Acquire a lock, or extend one you hold',
  description: [
    'A lock prevents others from acquiring an overlapping one: `repo:<name>` overlaps everything, `path:<path>` the path and',
    'everything below it, `issue:<id>` the issue, any other name only itself. A lock expires unless it is renewed. Without',
    '`--remote` or a configured remote, it is visible in this clone only.',
  ].join(' '),
  examples: [
    { command: 'grite lock acquire path:src/parser --ttl 30m', explains: 'lock a directory for half an hour' },
    { command: 'grite lock acquire issue:3f2a91c --remote', explains: 'a lock visible to all clones' },
  ],
  served: { unless: ['remote'] },
  effect: 'sets',
  arguments: resourceArgument,
  options: { ...resourceOption, ...ttlOption('Duration; default 5 minutes'), ...placeOptions },
  async run(context, input) {
    const repository = await context.repository()
    const where = await chooseWhere(repository, input)
    const place = placeAt(repository, where)
    const ttlMs = readTtl(input.ttl, place)
    const resource = await settleResource(repository, input.resource)
    await requireLockable(context, repository, { resource, where })
    const held = await acquireLock(repository, place, { resource, ttlMs })
    return { data: describeHeld(held, context.clock.nowUnixMs()) }
  },
})

export type LockAcquireInput = GivenInput<typeof lockAcquire>
export type LockAcquireData = DataOf<typeof lockAcquire>

export const lockRenew = defineCommand({
  name: 'lock renew',
  summary: 'Extend a lock',
  description:
    'Only the holder can renew a lock, even an expired one. A released lock is acquired; for one that somebody else let ' +
    'expire, use `grite lock acquire`.',
  examples: [{ command: 'grite lock renew path:src/parser --ttl 1h', explains: 'expires an hour from now' }],
  served: { unless: ['remote'] },
  effect: 'sets',
  arguments: resourceArgument,
  options: { ...resourceOption, ...ttlOption('Duration from now; default 5 minutes'), ...placeOptions },
  async run(context, input) {
    const repository = await context.repository()
    const found = await findHeld(repository, input)
    const { where, resource } = found
    const place = placeAt(repository, where)
    const ttlMs = readTtl(input.ttl, place)
    await requireLockable(context, repository, found)
    const held = await renewLock(repository, place, { resource, ttlMs })
    return { data: describeHeld(held, context.clock.nowUnixMs()) }
  },
})

export type LockRenewInput = GivenInput<typeof lockRenew>
export type LockRenewData = DataOf<typeof lockRenew>

/** An existing lock may name an unknown issue: the Rust tool names issues as they were typed. */
async function requireLockable(context: CommandContext, repository: Workspace, lock: HeldLock): Promise<void> {
  const isThere = (await readKnownLocks(repository)).some(({ found }) => found.lock?.resource === lock.resource)
  if (!isThere) await requireKnownIssue(context, repository, lock)
}

/** A lock in the data of the commands that acquire or renew it. */
export function describeHeld({ outcome, lock, place }: Held, nowUnixMs: number) {
  const published = {
    resource: lock.resource,
    owner: lock.owner,
    nonce: lock.nonce,
    expires_unix_ms: lock.expiresUnixMs,
  }
  return {
    ...published,
    // The Rust tool documents this member, but prints the keys at the top level: give both.
    lock: published,
    ttl_seconds: Math.max(0, Math.round((lock.expiresUnixMs - nowUnixMs) / 1000)),
    outcome,
    level: place.level,
    remote: place.remote && showRemote(place.remote),
    fence: lock.fence,
  }
}
