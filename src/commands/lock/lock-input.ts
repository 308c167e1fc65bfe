/** Options and arguments that the commands about locks and claims share, and how their text becomes values. */
import {
  IdParseError,
  InvalidArgsError,
  issueOfResource,
  issueResource,
  lockTerms,
  makeVisible,
  NotFoundError,
  requireResource,
} from '../../model/index.ts'
import type { CommandContext } from '../../tracker/effects.ts'
import { resolveIssue } from '../../tracker/issues/resolve-issue.ts'
import { findPresent } from '../../tracker/locks/hold.ts'
import { isReadable, type LockInSight, locksInSight, type ReadableLock } from '../../tracker/locks/known-locks.ts'
import { type LockPlace, localPlace } from '../../tracker/locks/lock-place.ts'
import { nameRemotes } from '../../tracker/locks/remote-names.ts'
import { sharedPlace } from '../../tracker/locks/shared-place.ts'
import { parseDuration } from '../../tracker/parse-time.ts'
import { type ChosenRemote, chooseRemote } from '../../tracker/sync/remote-name.ts'
import { runSync } from '../../tracker/sync/run-sync.ts'
import type { Workspace } from '../../tracker/workspace.ts'
import type { ArgumentTable, OptionTable } from '../define-command.ts'

export const placeOptions = {
  remote: {
    type: 'text',
    valueName: 'name',
    valueOptional: true,
    summary: 'For all clones, on this remote; without a name the configured one',
    completes: 'remote',
  },
  local: { type: 'boolean', summary: 'In this clone only, also where a remote is configured' },
} as const satisfies OptionTable

export const resourceArgument = {
  resource: { summary: 'issue:<id>, path:<path>, repo:<name>, or any name' },
} as const satisfies ArgumentTable

/** The same, as some documents have it. */
export const resourceOption = {
  resource: { type: 'text', valueName: 'resource', summary: 'The resource, in place of the argument' },
} as const satisfies OptionTable

const lockTtlMsDefault = 300_000

export function ttlOption(summary: string) {
  return { ttl: { type: 'text', valueName: '15m|seconds', summary } } as const satisfies OptionTable
}

/** @throws {InvalidArgsError} when it is no time, or longer than the place allows */
export function readTtl(text: string | undefined, place: LockPlace, defaultMs = lockTtlMsDefault): number {
  if (text === undefined) return defaultMs
  return parseDuration('ttl', text, { msMax: (place.level === 'remote' ? lockTerms.lease : lockTerms.local).ttlMsMax })
}

export interface PlaceInput {
  readonly remote: string | undefined
  readonly local: boolean
}

/**
 * Where a command means its locks to be: on the remote that is named, or else configured; null for this clone.
 * @throws {InvalidArgsError} when both are asked for
 */
export async function chooseWhere(repository: Workspace, { remote, local }: PlaceInput): Promise<ChosenRemote | null> {
  if (local && remote !== undefined) {
    throw new InvalidArgsError('--local and --remote exclude each other', { details: { field: 'local' } })
  }
  if (local) return null
  const configured = (await repository.config()).lease.remote
  if (remote === undefined && configured === undefined) return null
  return chooseRemote(repository, repository.facts.cwd, remote || configured)
}

export async function choosePlace(repository: Workspace, input: PlaceInput): Promise<LockPlace> {
  return placeAt(repository, await chooseWhere(repository, input))
}

export function placeAt(repository: Workspace, where: ChosenRemote | null): LockPlace {
  return where === null ? localPlace(repository) : sharedPlace(repository, where.name)
}

/**
 * The resource to lock. An issue is named by its full id, whatever was typed, so that all who mean it name the same; an id
 * that the log does not know is taken as it stands when it is a full one, or none at all.
 * @throws {InvalidArgsError} | {NotFoundError} when it is not usable, or names no issue
 */
export async function settleResource(repository: Workspace, typed: string): Promise<string> {
  const resource = typed.trim()
  requireResource(resource)
  const [, id] = /^issue:(.*)$/s.exec(resource) ?? []
  if (id === undefined || issueOfResource(resource) !== null) return resource
  try {
    return issueResource(await resolveIssue(await repository.view(), id))
  } catch (error) {
    const isName = error instanceof IdParseError || (error instanceof NotFoundError && id.length > 32)
    if (!isName) throw error
    return resource
  }
}

/**
 * Refuses the lock of an issue that there is not: a typing error would lock something that nobody else means.
 *
 * @param where - the remote whose log may have an issue that has not arrived here
 * @throws {NotFoundError}
 */
export async function requireKnownIssue(
  context: Pick<CommandContext, 'progress' | 'clock' | 'random' | 'warn'>,
  repository: Workspace,
  { resource, where }: HeldLock,
): Promise<void> {
  if (!resource.startsWith('issue:')) return
  const issueId = issueOfResource(resource)
  const isKnown = async () => issueId !== null && (await (await repository.view()).findRows([issueId])).size > 0
  if (await isKnown()) return
  if (where !== null && issueId !== null) {
    await runSync(context, repository, where, { pull: true, push: false })
    if (await isKnown()) return
  }
  throw new NotFoundError(`there is no issue to lock by ${makeVisible(resource)}`, {
    details: { field: 'resource', value: resource },
    hints: ['`grite issue list` shows the issues; a lock on something else has another namespace, as task:release'],
  })
}

/** A lock that somebody means who does not say where it is. */
export interface HeldLock {
  /** Null for this clone. */
  readonly where: ChosenRemote | null
  readonly resource: string
}

/**
 * Which lock a holder means, and where it is: without an option where the current actor has it, since nobody remembers
 * how he took it.
 */
export async function findHeld(
  repository: Workspace,
  input: PlaceInput & { readonly resource: string },
): Promise<HeldLock> {
  const where = await chooseWhere(repository, input)
  const typed = input.resource.trim()
  requireResource(typed)
  const sights = await locksInSight(repository)
  // The Rust tool names issues as they were typed.
  const isThere = sights.some(({ found }) => found.lock?.resource === typed)
  const resource = isThere ? typed : await settleResource(repository, typed)
  if (input.local || input.remote !== undefined) return { where, resource }
  return { where: await findWhereHeld(repository, { where, resource }, sights), resource }
}

/** Where the current actor has a lock: at the place that is meant if there, else wherever it is. */
async function findWhereHeld(
  repository: Workspace,
  { where, resource }: HeldLock,
  sights: readonly LockInSight[],
): Promise<ChosenRemote | null> {
  const owner = (await repository.findActor())?.actor.id
  const present = findPresent(sights, placeAt(repository, where), resource)?.lock
  if (present?.owner === owner && present?.expiresUnixMs !== 0) return where
  const elsewhere = sights.filter(isReadable).find((sight) => isHeldBy(sight, owner, resource))
  if (elsewhere === undefined) return where
  const remote = (await nameRemotes(repository, [elsewhere])).get(elsewhere.remotePart)
  return remote === undefined ? null : chooseRemote(repository, repository.facts.cwd, remote)
}

/** A lock that the Rust tool put on a remote is nobody's to move from here. */
function isHeldBy({ found, kind, level }: ReadableLock, owner: string | undefined, resource: string): boolean {
  const isOurs = level === 'local' || kind === 'lease'
  return isOurs && found.lock.owner === owner && found.lock.resource === resource && found.lock.expiresUnixMs !== 0
}
