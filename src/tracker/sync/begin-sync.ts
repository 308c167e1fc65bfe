import { shallowMark } from '../../git/index.ts'
import { type EarlyFetch, startLogFetch } from '../../wal/index.ts'
import type { CommandContext, Progress } from '../effects.ts'
import type { Workspace } from '../workspace.ts'
import { createLender } from './lend-view.ts'
import type { ChosenRemote } from './remote-name.ts'

/** A sync whose fetch is under way. */
export interface BegunSync {
  readonly progress: Progress
  /** Undefined in a shallow clone, whose history must be completed first. */
  readonly early: EarlyFetch | undefined
}

/** Starts the fetch of a sync. Pass the result to `runSync`, which checks this clone while git waits for the remote. */
export async function beginSync(
  context: Pick<CommandContext, 'progress'>,
  repository: Workspace,
  { name }: ChosenRemote,
): Promise<BegunSync> {
  const progress = context.progress('Fetching')
  if (shallowMark(repository.layout) !== '') return { progress, early: undefined }
  const lend = createLender(repository)
  const early = startLogFetch(repository.remotes, { remote: name, onProgress: onProgressOf(progress) })
  await early.started
  return { progress, early: { ...early, found: () => lend(early.found), land: () => lend(early.land) } }
}

/** Reports the phases of git's transfer; undefined when nobody sees them. */
export function onProgressOf(progress: Progress) {
  if (!progress.isShown) return undefined
  return (_phase: string, done: number, total: number) => progress.report(done, total)
}
