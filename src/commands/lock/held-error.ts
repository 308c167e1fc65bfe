import { ConflictError } from '../../model/index.ts'
import { listActors } from '../local/actors.ts'
import type { Repository } from '../repository.ts'
import type { ReadableLock } from './in-sight.ts'
import { nameRemotes } from './remote-names.ts'

/** Who holds a lock, for people: a label known here, else the assignee of a claim, else the id. */
export async function nameHolder(repository: Repository, { found }: ReadableLock): Promise<string> {
  const { owner, claim } = found.lock
  const known = (await listActors(repository.paths)).find(({ id }) => id === owner)
  return known?.label ?? claim?.assignee ?? owner
}

/** The refusal that names holder and expiry of what stands in the way. */
export async function heldError(repository: Repository, resource: string, sight: ReadableLock): Promise<ConflictError> {
  const { lock } = sight.found
  const holder = await nameHolder(repository, sight)
  const remote = (await nameRemotes(repository, [sight])).get(sight.remotePart) ?? null
  // Actors of one person have one label.
  const named = holder === lock.owner ? holder : `${holder} (${lock.owner.slice(0, 8)})`
  const until = formatExpiry(lock.expiresUnixMs)
  const through = lock.resource === resource ? '' : ` through the lock on ${lock.resource}`
  const where = remote === null ? '' : ` on ${remote}`
  return new ConflictError(`${resource} is held${through} by ${named} until ${until}${where}`, {
    details: {
      reason: 'held',
      resource,
      held_resource: lock.resource,
      owner: lock.owner,
      holder,
      expires_unix_ms: lock.expiresUnixMs,
      fence: lock.fence ?? undefined,
      level: sight.level,
      remote: remote ?? undefined,
    },
    hints: ['`grite lock status` shows all locks; this one can be taken once its time is over'],
  })
}

/** The calendar of JavaScript ends in the year 275760. */
export function formatExpiry(expiresUnixMs: number): string {
  const date = new Date(expiresUnixMs)
  return Number.isNaN(date.getTime()) ? 'for ever' : date.toISOString()
}
