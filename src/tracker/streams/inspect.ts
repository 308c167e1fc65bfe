import { join } from 'node:path'
import type { CloneId } from '../../model/streams/index.ts'
import { inspectStreams, type StreamsInspection } from '../../wal/streams/index.ts'
import type { SharedRepository } from '../shared-repository.ts'
import { readCloneId } from './clone-id.ts'

/** Stands for this clone while it has no id, and so owns no stream. */
const noClone = '0'.repeat(32) as CloneId

/** Looks at the heads and journals of all streams, and changes nothing. */
export async function inspectStreamsOf({
  git,
  paths,
}: Pick<SharedRepository, 'git' | 'paths'>): Promise<StreamsInspection> {
  return await inspectStreams({
    ...{ git, folder: join(paths.home, 'streams'), permissions: paths.permissions },
    cloneId: async () => (await readCloneId(join(paths.home, 'clone'))) ?? noClone,
    clock: { nowUnixMs: () => 0 },
    random: (bytes) => new Uint8Array(bytes),
    warn: () => {},
  })
}
