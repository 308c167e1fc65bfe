/** Maintenance after commits of streams. */
import { type GitPort, startPackingRefs } from '../../git/index.ts'
import { streamRefPrefix } from '../../model/streams/index.ts'
import { readRepoConfig } from '../local/repo-config.ts'
import type { SharedRepository } from '../shared-repository.ts'
import { isLookDue, maintain } from '../sync/maintenance.ts'

/** A port that starts maintenance in the background after a sample of its commits. */
export function portWithUpkeep(shared: Pick<SharedRepository, 'finishBeforeClose' | 'git' | 'paths'>): GitPort {
  const { git } = shared
  const port: GitPort = Object.create(git)
  port.publish = async (plan) => {
    await git.publish(plan)
    if (plan.updates.some(({ next }) => next !== null && isLookDue(next))) shared.finishBeforeClose(tidy(shared))
  }
  return port
}

async function tidy({ git, paths }: Pick<SharedRepository, 'git' | 'paths'>): Promise<void> {
  const config = await readRepoConfig(paths.config)
  if (!config.maintenance.auto) return
  await maintain({ git, config: async () => config })
  await startPackingRefs(git, streamRefPrefix)
}
