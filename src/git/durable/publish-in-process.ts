import { formatSignature, parseCommit } from '../object-codec.ts'
import type { PendingObject, PublishPlan, RefUpdate, RepositoryLayout } from '../port.ts'
import { refTemporaryDir } from '../ref-paths.ts'
import type { Disk, OpenFile } from './disk.ts'
import type { FlushSettings } from './flush-settings.ts'
import { findVanished, stageObjects } from './object-writer.ts'
import type { Owner } from './owner.ts'
import { removeDeadFiles } from './ref-lock.ts'
import { type RefMove, requireUnmoved, stageRefs } from './ref-writer.ts'
import { asStorageFailure } from './storage-failure.ts'

/** Moments of a publish, for tests that end the process there. */
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
  /** Started early by the caller, awaited when the first flush is due. */
  readonly flushSettings: Promise<FlushSettings>
  readonly hooks: PublishHooks
}

/**
 * Publishes without starting git, in three waves of flushes: contents of all new files; directories that gained an
 * object; the directory of the ref. An object that a parallel `git gc` took is written again before returning.
 */
export async function publishInProcess(context: PublishContext, plan: PublishPlan): Promise<void> {
  try {
    await publish(context, plan)
  } catch (error) {
    throw asStorageFailure(error, 'publishing')
  }
}

async function publish(context: PublishContext, { objects, updates }: PublishPlan): Promise<void> {
  const { disk, layout, hooks } = context
  const moves = updates.filter(isMove)
  for (const move of moves) requireUnmoved(layout, move)
  await hooks.at('started')
  const staged = stageObjects(disk, layout, objects)
  try {
    const refs = stageRefs({ ...context, committer: committerOf(updates, objects) }, moves)
    try {
      await hooks.at('files-staged')
      const flushes = await context.flushSettings
      await flushFiles(disk, [...(flushes.objects ? staged.files : []), ...(flushes.references ? refs.files : [])])
      await hooks.at('files-flushed')
      const gained = staged.place()
      await hooks.at('objects-placed')
      await flushDirectories(disk, [...(flushes.objects ? gained : []), ...(flushes.references ? refs.gained : [])])
      await hooks.at('objects-written')
      await refs.lock()
      await hooks.at('ref-locked')
      refs.check()
      await hooks.at('ref-checked')
      const moved = refs.move()
      await hooks.at('ref-moved')
      if (flushes.references) await flushDirectories(disk, moved)
      await hooks.at('ref-flushed')
    } finally {
      refs.discard()
    }
  } finally {
    staged.discard()
  }
  await writeVanished(context, objects)
  await hooks.at('published')
}

function isMove(update: RefUpdate): update is RefMove {
  return update.next !== null
}

async function flushFiles(disk: Disk, files: readonly OpenFile[]): Promise<void> {
  if (files.length > 0) await disk.flushFiles(files)
}

async function flushDirectories(disk: Disk, paths: readonly string[]): Promise<void> {
  if (paths.length > 0) await disk.flushDirectories([...new Set(paths)])
}

/** gc with no grace may take an object between its writing and the ref; twice in a row it is not met. */
const rewritesMax = 3

async function writeVanished(context: PublishContext, objects: readonly PendingObject[]): Promise<void> {
  const { disk, layout } = context
  for (let turn = 0; turn < rewritesMax; turn++) {
    const vanished = findVanished(layout, objects)
    if (vanished.length === 0) return
    const staged = stageObjects(disk, layout, vanished)
    try {
      await flushFiles(disk, staged.files)
      await flushDirectories(disk, staged.place())
    } finally {
      staged.discard()
    }
  }
}

/** The reflog names who made the commit; a ref moved to an older commit has nobody to name. */
export function committerOf(updates: readonly RefUpdate[], objects: readonly PendingObject[]): string {
  const next = updates.find((update) => update.next !== null)?.next
  const commit = objects.find((object) => object.oid === next && object.type === 'commit')
  if (commit) return parseCommit(commit.content).committer
  return formatSignature({ name: 'grite', email: '', unixSeconds: Date.now() / 1000, offsetMinutes: 0 })
}

/** Clears away what writers that were killed left behind. Once per opened repository is enough. */
export function tidyTemporaryFiles(disk: Disk, layout: RepositoryLayout): void {
  removeDeadFiles(disk, refTemporaryDir(layout))
}
