/**
 * Opening the view of an actor: take its lock, judge what is there, catch up with the log, rebuild where that cannot
 * be trusted. Whoever asks gets a view that shows the log as it is now.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { GitPort } from '../git/index.ts'
import { issueCodec, type LogProblem, readLog, walRef } from '../wal/index.ts'
import { catchUp } from './catch-up.ts'
import { fillView } from './fill.ts'
import type { IsSignatureValid } from './projector.ts'
import { describeOpenFailure, openMemoryStore, type Store } from './store.ts'
import { View } from './view.ts'
import { ViewDirectory } from './view-directory.ts'

/** A reader that has waited this long for another process's view folds the log for itself. */
export const viewWaitMsMax = 2000
const pollMs = 10

export interface OpenViewOptions {
  readonly git: GitPort
  /** The `level` folder of the view. */
  readonly directory: string
  readonly clock: { readonly nowUnixMs: () => number }
  readonly isSignatureValid: IsSignatureValid
  readonly report: (problem: LogProblem) => void
  readonly warn: (code: string, message: string) => void
  readonly progress?: (commitsDone: number) => void
}

/** A view that corresponds to the log's head as it was a moment ago. */
export async function openView(options: OpenViewOptions): Promise<View> {
  const directory = new ViewDirectory(options.directory)
  const opened = await openStore(options, directory)
  if (opened === undefined) return openMemoryView(options)
  const view = await View.over(opened.store, options)
  if (view === undefined) {
    await opened.store.close()
    return rebuildView(options)
  }
  try {
    if ((await catchUp({ ...options, view })) !== 'rebuild-needed') return view
  } catch (error) {
    await view.close()
    if (!isStoreFailure(error)) throw error
    options.warn('view-rebuilt', `the view could not be used (${(error as Error).message}) and is made anew`)
    return rebuildView(options)
  }
  await view.close()
  return rebuildView(options)
}

/** Folds the log into a fresh numbered directory and switches to it. */
export async function rebuildView(options: OpenViewOptions): Promise<View> {
  const directory = new ViewDirectory(options.directory)
  const created = await directory.create().catch((error: unknown) => {
    if (isReadOnly(error) || describeOpenFailure(error) === 'full') return undefined
    throw error
  })
  if (created === undefined) return openMemoryView(options)
  const view = (await View.over(created.store, options)) as View
  try {
    await fillFromLog(options, view)
    await view.writeMeta('last_rebuild_ts', String(options.clock.nowUnixMs()))
    await view.writeMeta('events_at_rebuild', String(view.eventCount))
    await directory.switchTo(created.number)
  } catch (error) {
    await view.close()
    throw error
  }
  return view
}

/** A throw-away view in memory: where nothing can be written, or the lock cannot be had. */
async function openMemoryView(options: OpenViewOptions): Promise<View> {
  const view = (await View.over(await openMemoryStore(), options)) as View
  await fillFromLog(options, view)
  return view
}

async function fillFromLog(options: OpenViewOptions, view: View): Promise<void> {
  const { git, report, progress } = options
  await catchUp({ ...options, view })
  const head = await git.readRef(walRef)
  if (head !== null && view.head !== head) {
    await fillView(view, {
      head,
      source: readLog(git, issueCodec, { head }),
      report,
      ...(progress === undefined ? {} : { progress }),
    })
  }
}

/** The store in use, or a first one; undefined when this process cannot have it and shall fold in memory. */
async function openStore(
  options: OpenViewOptions,
  directory: ViewDirectory,
): Promise<{ readonly store: Store; readonly number: number } | undefined> {
  const deadline = options.clock.nowUnixMs() + viewWaitMsMax
  for (;;) {
    try {
      return await directory.open()
    } catch (error) {
      const reason = describeOpenFailure(error)
      if (reason === 'read-only' || reason === 'full' || isReadOnly(error)) return undefined
      if (reason === 'locked' || reason === 'missing') {
        if (options.clock.nowUnixMs() >= deadline) return undefined
        await sleep(pollMs + Math.floor(pollMs * (options.clock.nowUnixMs() % 7)) / 7)
        continue
      }
      const number = await directory.readCurrent()
      if (number === undefined) throw error
      const aside = await directory.setAside(number)
      options.warn('view-set-aside', `the view could not be read; it was moved to ${aside} and is made anew`)
    }
  }
}

function isReadOnly(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'EROFS' || code === 'EACCES' || code === 'EPERM' || code === 'ENOSPC' || code === 'EDQUOT'
}

/** Failures of LevelDB itself, which a fresh directory does not have. */
function isStoreFailure(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && code.startsWith('LEVEL_')
}
