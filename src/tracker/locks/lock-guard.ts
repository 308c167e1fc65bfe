/**
 * Locks around a write: applies the lock policy to the locks of others, holds the locks of `--lock` during the write, and
 * renews own locks that are about to expire.
 */
import {
  ConflictError,
  commentOfOverlayKey,
  type Event,
  type IssueId,
  isRenewalDue,
  isRepositoryResource,
  issueOfResource,
  issueResource,
  type Lock,
  lockStateAt,
  lockTerms,
  makeVisible,
  resourcesOverlap,
} from '../../model/index.ts'
import { type FoundLock, listLocks, lockRefOf, readLock } from '../../wal/index.ts'
import type { Workspace } from '../workspace.ts'
import { formatExpiry, heldError, nameHolder } from './held-error.ts'
import { acquireLock, releaseLock, renewLock } from './hold.ts'
import { liveLocksOfOthers, type ReadableLock, readKnownLocks, type SeenLock } from './known-locks.ts'
import { localPlace } from './lock-place.ts'
import { tellNotMoved } from './recheck.ts'

const lockTtlMs = 300_000

export type ReadLocks = () => Promise<readonly SeenLock[]>

/** One guard per write, however often its plan runs. */
export class LockGuard {
  readonly #repository: Workspace
  readonly #takesLocks: boolean
  /** Resources locked only for this write. */
  readonly #taken = new Set<string>()
  readonly #told: Set<string>
  /** Locks of others that the newest batch ignored. Warned of once the batch is in the log: it may lose a race and never get there. */
  #passed: readonly ReadableLock[] = []
  /** The locks read by `admit`; undefined if it did not need them. */
  #sights: readonly SeenLock[] | undefined

  /** @param told - locks that were already warned of */
  constructor(repository: Workspace, takesLocks: boolean, told: Set<string>) {
    this.#repository = repository
    this.#takesLocks = takesLocks
    this.#told = told
  }

  /**
   * Checks a batch against the locks of others, and remembers those that it ignores for `tellPassed`.
   * @param readLocks - reads the known locks; writes that are admitted together read them once
   * @throws {ConflictError} under the policy `require`, or when somebody else holds a lock that this write needs
   */
  async admit(events: readonly Event[], readLocks: ReadLocks = () => readKnownLocks(this.#repository)): Promise<void> {
    const { lockPolicy } = await this.#repository.config()
    this.#passed = []
    this.#sights = lockPolicy === 'off' ? undefined : await readLocks()
    if (this.#takesLocks) for (const issueId of changedIssues(events)) await this.#take(issueResource(issueId))
    if (this.#sights === undefined || this.#sights.length === 0) return
    const changed = [...changedIssues(events), ...(await this.#issuesOfComments(events))]
    const owner = (await this.#repository.findActor())?.actor.id ?? ''
    const nowUnixMs = this.#repository.facts.clock.nowUnixMs()
    const resources = changed.map(issueResource)
    const against = liveLocksOfOthers(this.#sights, { owner, nowUnixMs }).filter(
      ({ found: { lock } }) =>
        isRepositoryResource(lock.resource) || resources.some((one) => resourcesOverlap(one, lock.resource)),
    )
    const [first] = against
    if (first !== undefined && lockPolicy === 'require') throw await this.#refusal(first, resources)
    this.#passed = against
  }

  /** Issues whose comments these events edit or hide. */
  async #issuesOfComments(events: readonly Event[]): Promise<IssueId[]> {
    const edits = events.filter(({ body }) => {
      return body.type === 'ProjectContextUpdated' && commentOfOverlayKey(body.key) !== undefined
    })
    if (edits.length === 0) return []
    const { findEditedComments } = await import('../issues/comment-overlays.ts')
    return [...(await findEditedComments(await this.#repository.view(), edits)).values()].map(({ issueId }) => issueId)
  }

  /** Warns of the locks of others that a batch ignored. Called once the batch is in the log. */
  async tellPassed(): Promise<void> {
    const passed = this.#passed
    this.#passed = []
    for (const sight of passed) await this.#tell(sight)
  }

  async #take(resource: string): Promise<void> {
    if (this.#taken.has(resource)) return
    // A lock that the actor already holds, such as a claim, must not be released after this write.
    if ((await this.#ownLocks([resource])).length > 0) return
    await acquireLock(this.#repository, localPlace(this.#repository), { resource, ttlMs: lockTtlMs, isStep: true })
    this.#taken.add(resource)
  }

  async #refusal(sight: ReadableLock, resources: readonly string[]): Promise<ConflictError> {
    const { lock } = sight.found
    const resource = resources.find((one) => resourcesOverlap(one, lock.resource)) ?? 'the repository'
    const { message, details } = await heldError(this.#repository, resource, sight)
    return new ConflictError(message, {
      details: { ...details, policy: 'require' },
      hints: ['`lock_policy` in .git/grite/config.toml controls whether writes respect the locks of others'],
    })
  }

  async #tell(sight: ReadableLock): Promise<void> {
    const { lock } = sight.found
    // The Rust tool leaves copies of a lock in its clones, so warn once per lock.
    const key = `${lock.resource} ${lock.owner} ${lock.nonce}`
    if (this.#told.has(key)) return
    this.#told.add(key)
    const holder = await nameHolder(this.#repository, sight)
    const { resource, owner, expiresUnixMs } = lock
    this.#repository.facts.warn({
      code: 'locked',
      message: `${makeVisible(resource)} is held by ${makeVisible(holder)} until ${formatExpiry(expiresUnixMs)}; wrote anyway`,
      details: { resource, owner, holder, expires_unix_ms: expiresUnixMs },
    })
  }

  /** Called after the write is in the log: renews own locks that expire soon, and releases the claims of closed issues. */
  async written(events: readonly Event[]): Promise<void> {
    await this.tellPassed()
    const resources = changedIssues(events).map(issueResource)
    for (const lock of await this.#ownLocks(resources).catch(() => [])) {
      const { resource, claim, ttlMs } = lock
      if (this.#taken.has(resource)) continue
      try {
        if (claim !== null && isClosedBy(events, issueOfResource(resource))) await this.#release(resource)
        else if (ttlMs !== null && isRenewalDue(lock, this.#repository.facts.clock.nowUnixMs())) {
          await renewLock(this.#repository, localPlace(this.#repository), { resource, ttlMs })
        }
      } catch (error) {
        tellNotMoved(this.#repository, resource, error)
      }
    }
  }

  /** Releases the locks acquired for this write. Never throws, because the write is already decided. */
  async leave(): Promise<void> {
    for (const resource of [...this.#taken]) {
      this.#taken.delete(resource)
      await this.#release(resource).catch((error: unknown) => tellNotMoved(this.#repository, resource, error))
    }
  }

  async #release(resource: string): Promise<void> {
    await releaseLock(this.#repository, localPlace(this.#repository), resource)
  }

  /** The current actor's live local locks on these resources. */
  async #ownLocks(resources: readonly string[]): Promise<Lock[]> {
    const locks = (await this.#localLocks(resources)).flatMap(({ lock }) => lock ?? [])
    if (locks.length === 0) return []
    const owner = (await this.#repository.findActor())?.actor.id
    const nowUnixMs = this.#repository.facts.clock.nowUnixMs()
    const wanted = new Set(resources)
    return locks.filter(
      (lock) =>
        wanted.has(lock.resource) && lock.owner === owner && lockStateAt(lock, nowUnixMs, lockTerms.local) === 'live',
    )
  }

  /** Locks of this clone as `admit` read them; otherwise reads at least those on these resources. */
  async #localLocks(resources: readonly string[]): Promise<readonly FoundLock[]> {
    const { git, lockMemory } = this.#repository
    if (this.#sights !== undefined) {
      return this.#sights.filter(({ level }) => level === 'local').map(({ found }) => found)
    }
    const [first, ...others] = resources
    if (first === undefined) return []
    if (others.length > 0) return listLocks(git, lockMemory)
    const found = await readLock(git, lockRefOf(first))
    return found === null ? [] : [found]
  }
}

/** Existing issues that these events change. Nobody can hold a lock on an issue created in the same batch. */
function changedIssues(events: readonly Event[]): IssueId[] {
  const changed = new Set<IssueId>()
  const created = new Set<IssueId>()
  for (const { issueId, body } of events) {
    if (body.type === 'IssueCreated') created.add(issueId)
    else if (body.type !== 'ContextUpdated' && body.type !== 'ProjectContextUpdated') changed.add(issueId)
  }
  return [...changed].filter((issueId) => !created.has(issueId))
}

function isClosedBy(events: readonly Event[], issueId: IssueId | null): boolean {
  const moved = events.findLast((event) => event.issueId === issueId && event.body.type === 'StateChanged')
  return moved?.body.type === 'StateChanged' && moved.body.state === 'closed'
}
