import { join } from 'node:path'
import type { GitPort, PublishPlan } from '../../src/git/index.ts'
import { parseStreamId } from '../../src/model/streams/index.ts'
import { readOrMakeCloneId } from '../../src/tracker/streams/clone-id.ts'
import type { Workspace } from '../../src/tracker/workspace.ts'
import { StreamStore } from '../../src/wal/streams/index.ts'

/** Creates many streams, `many/<number>`, in one publish. */
export async function createManyStreams({ git, paths }: Workspace, count: number): Promise<void> {
  const plans: PublishPlan[] = []
  const collecting: GitPort = { ...git, publish: async (plan) => void plans.push(plan) }
  const store = new StreamStore({
    git: collecting,
    folder: join(paths.home, 'streams'),
    permissions: paths.permissions,
    cloneId: () => readOrMakeCloneId(join(paths.home, 'clone'), paths.permissions),
    clock: { nowUnixMs: () => 1_700_000_000_000 },
    random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
    warn: () => {},
  })
  const creation = { actor: null, reason: null, labels: [], retention: null }
  for (let number = 0; number < count; number++) await store.create(parseStreamId(`many/${number}`), creation)
  await store.close()
  await git.publish({
    objects: plans.flatMap(({ objects }) => objects),
    updates: plans.flatMap(({ updates }) => updates),
  })
}
