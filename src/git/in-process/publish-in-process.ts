import { AfterWriteError } from '../../model/errors/index.ts'
import { removeIdleNotes } from '../durable/child-locks.ts'
import type { Disk, OpenFile } from '../durable/disk.ts'
import { removeOrWarn, type WarnOfFile } from '../durable/file-warning.ts'
import type { FlushSettings } from '../durable/flush-settings.ts'
import { findVanished, stageObjects } from '../durable/object-writer.ts'
import type { Owner } from '../durable/owner.ts'
import { breakDeadLock, removeDeadFiles } from '../durable/ref-lock.ts'
import { requireUnmoved, stageRefs } from '../durable/ref-writer.ts'
import { asStorageFailure, errnoOf, objectsVanished, retryVanishing } from '../durable/storage-failure.ts'
import { formatSignature, parseCommit } from '../object-codec.ts'
import { realPackedRefsPath } from '../packed-refs.ts'
import type { Oid, PendingObject, PublishPlan, RefUpdate, RepositoryLayout } from '../port.ts'
import { refTemporaryDir } from '../ref-paths.ts'
import type { Retry } from '../retry.ts'

/** Points of a publish at which tests end the process. */
export type PublishPoint =
  | 'started'
  | 'files-staged'
  | 'files-flushed'
  | 'objects-placed'
  | 'objects-written'
  | 'ref-locked'
  | 'ref-checked'
  | 'ref-moved'
  | 'ref-flushed'
  | 'published'

export interface PublishHooks {
  at(point: PublishPoint): void | Promise<void>
}

export interface PublishContext {
  readonly disk: Disk
  readonly layout: RepositoryLayout
  readonly owner: Owner
  readonly lockWaitMs: number
  readonly logsEveryRef: boolean
  /** `Name <email> seconds zone`, for the reflog. */
  readonly committer: string
  readonly warn: WarnOfFile
  /** Started early by the caller, awaited before the first flush. */
  readonly flushSettings: Promise<FlushSettings>
  /** Whether the repository has an object that is not in the plan. */
  readonly hasObject: (oid: Oid) => Promise<boolean>
  readonly hooks: PublishHooks
}

/**
 * Publishes without starting git, in three waves of flushes: contents of all new files; directories that gained an
 * object; the directory of the ref. Objects that a parallel `git gc` removed are rewritten before it returns.
 */
export async function publishInProcess(context: PublishContext, plan: PublishPlan): Promise<void> {
  try {
    await publish(context, plan)
  } catch (error) {
    throw asStorageFailure(error, 'publishing')
  }
}

async function publish(context: PublishContext, plan: PublishPlan): Promise<void> {
  const { disk, layout, warn, hooks } = context
  const { objects, staged = [], updates, isOrdered = false } = plan
  requireUnmoved(layout, updates)
  await hooks.at('started')
  const files = stageObjects({ disk, layout, warn }, [...objects, ...findVanished(layout, staged)])
  const after = new Aftermath(updates)
  try {
    const refs = stageRefs(context, updates)
    try {
      await hooks.at('files-staged')
      const flushes = await context.flushSettings
      await flushFiles(disk, [...(flushes.objects ? files.files : []), ...(flushes.references ? refs.files : [])])
      await hooks.at('files-flushed')
      const gained = await files.place(flushes.objects)
      await hooks.at('objects-placed')
      await flushDirectories(disk, [...(flushes.objects ? gained : []), ...(flushes.references ? refs.gained : [])])
      await hooks.at('objects-written')
      await refs.lock()
      await hooks.at('ref-locked')
      await refs.check(flushes.references)
      await hooks.at('ref-checked')
      await requireObjects(context, plan, flushes)
      const flushMoved = async (paths: readonly string[]) => {
        if (flushes.references) await flushDirectories(disk, paths)
      }
      const { moved, directories, failure } = isOrdered ? await refs.moveInOrder(flushMoved) : refs.move()
      if (failure !== undefined && moved.length === 0) throw failure
      after.begin(moved, failure)
      await hooks.at('ref-moved')
      if (flushes.references) await after.attempt(() => flushDirectories(disk, directories))
      await hooks.at('ref-flushed')
      await after.attempt(() => requireObjects(context, plan, flushes))
    } finally {
      refs.discard()
    }
  } finally {
    files.discard()
  }
  after.settle()
  await hooks.at('published')
}

/** Failures after refs have moved. They must not look like a write that did not happen. */
export class Aftermath {
  readonly #updates: readonly RefUpdate[]
  #moved: readonly RefUpdate[] = []
  #failure: unknown

  constructor(updates: readonly RefUpdate[]) {
    this.#updates = updates
  }

  /** @param failure - why some of them did not move; undefined when all did */
  begin(moved: readonly RefUpdate[], failure: unknown): void {
    this.#moved = moved
    this.#failure = failure
  }

  /** Runs a step even after an earlier failure. The first failure counts. */
  async attempt(step: () => Promise<void>): Promise<void> {
    try {
      await step()
    } catch (error) {
      this.#failure ??= error
    }
  }

  /** @throws {AfterWriteError} when a step failed and a ref has moved; the failure itself when no ref moved */
  settle(): void {
    if (this.#failure === undefined) return
    if (this.#moved.length === 0) throw this.#failure
    throw afterWriteError(this.#failure, this.#moved, this.#updates)
  }
}

function afterWriteError(cause: unknown, moved: readonly RefUpdate[], updates: readonly RefUpdate[]): AfterWriteError {
  const said = cause instanceof Error ? cause.message : 'a later step failed'
  const isWhole = moved.length === updates.length
  const names = moved.map(({ ref }) => ref)
  const what = isWhole ? `${names[0]} was written, but may not survive a power loss` : `only ${names.join(', ')} moved`
  return new AfterWriteError(`${what}: ${said}`, {
    cause,
    details: {
      written: isWhole ? true : 'partly',
      refs: moved.slice(0, refsListedMax).map(({ ref, next }) => ({ ref, object_id: next })),
      errno: errnoOf(cause) ?? null,
      path: (cause as NodeJS.ErrnoException | null)?.path ?? null,
    },
    hints: ['The write itself succeeded; check the result before you run the command again'],
  })
}

const refsListedMax = 20

async function flushFiles(disk: Disk, files: readonly OpenFile[]): Promise<void> {
  if (files.length > 0) await disk.flushFiles(files)
}

async function flushDirectories(disk: Disk, paths: readonly string[]): Promise<void> {
  if (paths.length > 0) await disk.flushDirectories([...new Set(paths)])
}

/**
 * Makes sure that the repository has the objects that the refs name: right before the refs move, and again after.
 * Rewrites objects that `git gc --prune=now` removed.
 * @throws {StorageError} when an object keeps vanishing, or one outside the plan is gone
 */
async function requireObjects(
  context: PublishContext,
  { objects, staged = [], updates }: PublishPlan,
  flushes: FlushSettings,
): Promise<void> {
  const { disk, layout, warn } = context
  const all = [...objects, ...staged]
  for (let retry: Retry | undefined; ; ) {
    const vanished = findVanished(layout, all)
    if (vanished.length === 0) break
    retry ??= retryVanishing()
    if (!(await retry.again())) throw objectsVanished(vanished.map(({ oid }) => oid))
    const again = stageObjects({ disk, layout, warn }, vanished)
    try {
      if (flushes.objects) await flushFiles(disk, again.files)
      const gained = await again.place(flushes.objects)
      if (flushes.objects) await flushDirectories(disk, gained)
    } finally {
      again.discard()
    }
  }
  const brought = new Set(all.map(({ oid }) => oid))
  for (const { next } of updates) {
    if (next !== null && !brought.has(next) && !(await context.hasObject(next))) throw objectsVanished([next])
  }
}

/** The reflog names the author of the new commit; a ref moved to an older commit has none. */
export function committerOf({ objects, staged = [], updates }: PublishPlan): string {
  const next = updates.find((update) => update.next !== null)?.next
  const isNext = (object: PendingObject) => object.oid === next && object.type === 'commit'
  const commit = objects.find(isNext) ?? staged.find(isNext)
  if (commit) return parseCommit(commit.content).committer
  return formatSignature({ name: 'grite', email: '', unixSeconds: Date.now() / 1000, offsetMinutes: 0 })
}

/** Removes files of killed writers. Once per opened repository is enough. Never throws. */
export function tidyTemporaryFiles(context: Pick<PublishContext, 'disk' | 'layout' | 'owner' | 'warn'>): void {
  const { disk, layout, owner, warn } = context
  const folder = refTemporaryDir(layout)
  // Other programs wait for this lock, too, and cannot identify its owner.
  const lockPath = `${realPackedRefsPath(layout)}.lock`
  removeOrWarn((path) => breakDeadLock(disk, { lockPath: path, temporaryDir: folder, owner }), lockPath, warn)
  removeOrWarn((path) => removeDeadFiles(disk, path), folder, warn)
  removeOrWarn(() => removeIdleNotes({ disk, layout }), folder, warn)
}
