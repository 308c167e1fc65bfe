import { type LogSync, syncLog } from '../../wal/index.ts'
import type { CommandContext } from '../context.ts'
import { readRepoConfig } from '../local/repo-config.ts'
import type { Repository } from '../repository.ts'
import { hydrator } from './hydrate.ts'
import type { ChosenRemote } from './remote-name.ts'

export interface SyncDirections {
  readonly pull: boolean
  readonly push: boolean
}

export interface RepositorySync extends LogSync {
  /** Events that this clone did not have before. */
  readonly pulledEvents: number
}

/** Brings the log and the view together with a remote. What the remote refused is in the result, not an error. */
export async function runSync(
  context: CommandContext,
  repository: Repository,
  { name, isHome }: ChosenRemote,
  { pull, push }: SyncDirections,
): Promise<RepositorySync> {
  const { sync } = await readRepoConfig(repository.paths.config)
  const progress = context.progress('Fetching')
  let eventsBefore = 0
  try {
    const result = await syncLog(
      {
        git: repository.git,
        remotes: repository.remotes,
        queue: repository.queue,
        clock: context.clock,
        jitter: () => (context.random.bytes(1)[0] as number) / 256,
      },
      {
        remote: name,
        isHome,
        pull,
        push,
        runHooks: sync.runHooks,
        mayRepeat: async () => (await repository.view()).mayRepeat,
        hydrate: hydrator(repository),
        // Opening the view also puts back what something else took from the log.
        meanwhile: async () => {
          eventsBefore = (await repository.view()).eventCount
        },
        onProgress: progress.isShown ? (_phase, done, total) => progress.report(done, total) : undefined,
      },
    )
    const view = await repository.refresh(result.gained)
    return { ...result, pulledEvents: Math.max(0, view.eventCount - eventsBefore) }
  } finally {
    progress.end()
  }
}
