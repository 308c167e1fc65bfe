/** Options and arguments shared by the lock and claim commands, and the parsing of their values. */
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
import { isReadable, type ReadableLock, readKnownLocks, type SeenLock } from '../../tracker/locks/known-locks.ts'
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
    summary: 'Use this remote, visible to all clones; without a name, the configured one',
    completes: 'remote',
  },
  local: { type: 'boolean', summary: 'Use this clone only, even if a remote is configured' },
} as const satisfies OptionTable

export const resourceArgument = {
  resource: { summary: 'issue:<id>, path:<path>, repo:<name>, or any other name' },
} as const satisfies ArgumentTable

/** The same as an option, as some documents of the Rust tool write it. */
export const resourceOption = {
  resource: { type: 'text', valueName: 'resource', summary: 'The resource, instead of the argument' },
} as const satisfies OptionTable

const lockTtlMsDefault = 300_000

export function ttlOption(summary: string) {
  return { ttl: { type: 'text', valueName: '15m|seconds', summary } } as const satisfies OptionTable
}

/** @throws {InvalidArgsError} when the text is not a duration, or exceeds the maximum of the place */
export function readTtl(text: string | undefined, place: LockPlace, defaultMs = lockTtlMsDefault): number {
  if (text === undefined) return defaultMs
  return parseDuration('ttl', text, { msMax: (place.level === 'remote' ? lockTerms.lease : lockTerms.local).ttlMsMax })
}

export interface PlaceInput {
  readonly remote: string | undefined
  readonly local: boolean
}

/**
 * Chooses where a command keeps its locks: the given remote, else the configured one; null for this clone.
 * @throws {InvalidArgsError} when both `--local` and `--remote` are given
 */
export async function chooseWhere(repository: Workspace, { remote, local }: PlaceInput): Promise<ChosenRemote | null> {
  if (local && remote !== undefined) {
    throw new InvalidArgsError('--local and --remote cannot be combined', { details: { field: 'local' } })
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
 * Resolves the resource to lock. `issue:` with a prefix becomes the full id, so that all holders use the same resource. A
 * full id that the log does not know is kept, and so is text that is not an id.
 * @throws {InvalidArgsError} | {NotFoundError} when the resource is unusable, or a prefix matches no issue
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
 * Refuses to lock an issue that does not exist: with a typing error, the lock would protect nothing.
 *
 * @param where - the remote whose log may have an issue that this clone has not fetched
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
  throw new NotFoundError(`${makeVisible(resource)} matches no issue`, {
    details: { field: 'resource', value: resource },
    hints: ['`grite issue list` lists the issues; to lock something else, use another prefix, such as task:release'],
  })
}

/** A lock whose place may not be given on the command line. */
export interface HeldLock {
  /** Null for this clone. */
  readonly where: ChosenRemote | null
  readonly resource: string
}

/**
 * Finds the lock that a command refers to, and its place. Without `--local` or `--remote` that is wherever the current
 * actor holds it, since people do not remember with which option they acquired it.
 */
export async function findHeld(
  repository: Workspace,
  input: PlaceInput & { readonly resource: string },
): Promise<HeldLock> {
  const where = await chooseWhere(repository, input)
  const typed = input.resource.trim()
  requireResource(typed)
  const sights = await readKnownLocks(repository)
  // The Rust tool stores the id of an issue as it was typed.
  const isThere = sights.some(({ found }) => found.lock?.resource === typed)
  const resource = isThere ? typed : await settleResource(repository, typed)
  if (input.local || input.remote !== undefined) return { where, resource }
  return { where: await findWhereHeld(repository, { where, resource }, sights), resource }
}

/** The place where the current actor holds a lock: the chosen place if it is there, else any other. */
async function findWhereHeld(
  repository: Workspace,
  { where, resource }: HeldLock,
  sights: readonly SeenLock[],
): Promise<ChosenRemote | null> {
  const owner = (await repository.findActor())?.actor.id
  const present = findPresent(sights, placeAt(repository, where), resource)?.lock
  if (present?.owner === owner && present?.expiresUnixMs !== 0) return where
  const elsewhere = sights.filter(isReadable).find((sight) => isHeldBy(sight, owner, resource))
  if (elsewhere === undefined) return where
  const remote = (await nameRemotes(repository, [elsewhere])).get(elsewhere.remotePart)
  return remote === undefined ? null : chooseRemote(repository, repository.facts.cwd, remote)
}

/** False for a lock that the Rust tool pushed to a remote: we cannot move it. */
function isHeldBy({ found, kind, level }: ReadableLock, owner: string | undefined, resource: string): boolean {
  const isOurs = level === 'local' || kind === 'lease'
  return isOurs && found.lock.owner === owner && found.lock.resource === resource && found.lock.expiresUnixMs !== 0
}
