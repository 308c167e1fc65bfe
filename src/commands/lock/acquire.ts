import { showRemote } from '../../git/index.ts'
import type { CommandContext } from '../../tracker/effects.ts'
import { acquireLock, type Held, renewLock } from '../../tracker/locks/hold.ts'
import { locksInSight } from '../../tracker/locks/known-locks.ts'
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
  summary: 'Take a lock, or give the one you have more time',
  description: [
    'A lock keeps others from taking what overlaps it: `repo:<name>` excludes everything, `path:<path>` the path and what',
    'lies below it, `issue:<id>` the issue, any other name itself. It ends by itself when its time is over. Without',
    '`--remote`, and with none configured, it holds in this clone.',
  ].join(' '),
  examples: [
    { command: 'grite lock acquire path:src/parser --ttl 30m', explains: 'half an hour for a folder' },
    { command: 'grite lock acquire issue:3f2a91c --remote', explains: 'seen by all clones' },
  ],
  arguments: resourceArgument,
  options: { ...resourceOption, ...ttlOption('How long it lasts; default 5 minutes'), ...placeOptions },
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
  summary: 'Give a lock more time',
  description: 'Only for its holder. What nobody holds is taken.',
  examples: [{ command: 'grite lock renew path:src/parser --ttl 1h', explains: 'an hour from now' }],
  arguments: resourceArgument,
  options: { ...resourceOption, ...ttlOption('How long from now; default 5 minutes'), ...placeOptions },
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

/** A lock that there is already may name an issue as the Rust tool does: as it was typed. */
async function requireLockable(context: CommandContext, repository: Workspace, lock: HeldLock): Promise<void> {
  const isThere = (await locksInSight(repository)).some(({ found }) => found.lock?.resource === lock.resource)
  if (!isThere) await requireKnownIssue(context, repository, lock)
}

/** A lock as those commands answer that took it or gave it more time. */
export function describeHeld({ outcome, lock, place }: Held, nowUnixMs: number) {
  const published = {
    resource: lock.resource,
    owner: lock.owner,
    nonce: lock.nonce,
    expires_unix_ms: lock.expiresUnixMs,
  }
  return {
    ...published,
    // As the documents of the Rust tool have it, beside what its program prints.
    lock: published,
    ttl_seconds: Math.max(0, Math.round((lock.expiresUnixMs - nowUnixMs) / 1000)),
    outcome,
    level: place.level,
    remote: place.remote && showRemote(place.remote),
    fence: lock.fence,
  }
}
