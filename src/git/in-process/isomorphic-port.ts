import { GitError } from '../../model/errors/index.ts'
import { findCutInProcess } from '../cut-commits.ts'
import { holdsObject } from '../holds-object.ts'
import { listCommitsInProcess } from '../list-commits.ts'
import type { GitPort, RepositoryLayout } from '../port.ts'
import type { PortContext } from '../port-context.ts'
import { readShallow } from '../shallow.ts'
import { type ReadObject, walkHistory } from '../walk-history.ts'
import { createInProcessPublisher } from './in-process-publisher.ts'
import { readLooseObject } from './loose-objects.ts'
import { findMergeBaseInProcess, isAncestorInProcess } from './merge-base.ts'
import { createPackedObjectReader } from './packed-objects.ts'
import { listRefFiles, readRefFile } from './refs.ts'

/**
 * The port without git, for ordinary repositories: SHA-1, refs in files, one object store.
 *
 * @throws {GitError} for any other repository
 */
export function createIsomorphicPort(context: PortContext): GitPort {
  const { layout, environment, reads } = context
  requireOrdinary(context)
  const packed = createPackedObjectReader(layout)
  const read: ReadObject = async (oid, bytesMax) =>
    readLooseObject(layout, oid, bytesMax) ?? (await packed.read(oid, bytesMax))
  const publisher = createInProcessPublisher(context, (oid) => holdsObject(layout, read, oid))

  return {
    implementation: 'isomorphic',
    supports: { objectFormats: ['sha1'], refStorages: ['files'], alternates: false, packs: false },
    layout,
    environment,
    readRef: async (ref) => readRefFile(layout, ref),
    listRefs: async (prefixes, onBroken) => listRefFiles(layout, [prefixes].flat(), onBroken),
    readObject: read,
    readHistory: (options) => walkHistory(layout.objectFormat, read, options, { shallow: readShallow(layout), reads }),
    listCommits: (options) => listCommitsInProcess(read, options, { shallow: readShallow(layout), reads }),
    isAncestor: (ancestor, descendant) => isAncestorInProcess(read, ancestor, descendant, readShallow(layout)),
    findMergeBase: (left, right) => findMergeBaseInProcess(read, left, right, readShallow(layout)),
    findCutCommits: (heads) => findCutInProcess(read, heads, readShallow(layout)),
    async publish(plan) {
      if (!publisher.canPublish(plan)) {
        throw new GitError('without the git program, only refs of grite can be moved')
      }
      await publisher.publish(plan)
    },
    stopReading: () => reads.stop(),
    async close() {
      context.markClosed()
      packed.close()
    },
  }
}

/** Whether this port supports a repository. */
export function isOrdinary({ objectFormat, refStorage, unusualObjectStore }: RepositoryLayout): boolean {
  return objectFormat === 'sha1' && refStorage === 'files' && !unusualObjectStore
}

function requireOrdinary({ layout }: PortContext): void {
  if (isOrdinary(layout)) return
  const { objectFormat, refStorage, unusualObjectStore } = layout
  const kind = unusualObjectStore ? 'alternate object directories' : `${objectFormat} objects and ${refStorage} refs`
  throw new GitError(`a repository with ${kind} needs the git program`, {
    details: { object_format: objectFormat, ref_storage: refStorage },
  })
}
