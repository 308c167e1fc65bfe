import { CorruptObjectError, GitNotFoundError, GriteError, ObjectTooLargeError } from '../model/errors/index.ts'
import { nodeDisk } from './durable/disk.ts'
import { holdsObject } from './holds-object.ts'
import { createInProcessPublisher, type InProcessPublisher } from './in-process/in-process-publisher.ts'
import { createIsomorphicPort, isOrdinary } from './in-process/isomorphic-port.ts'
import { readLooseObject } from './in-process/loose-objects.ts'
import { Aftermath, committerOf } from './in-process/publish-in-process.ts'
import { listRefFiles, readRefFile } from './in-process/refs.ts'
import { readWholePackedObject } from './in-process/whole-packed-objects.ts'
import { createNativePort } from './native/native-port.ts'
import { looseObjectsMax, writeObjects, writeVanishedNatively } from './native/write-objects.ts'
import type { GitPort, Oid, PublishPlan } from './port.ts'
import type { PortContext } from './port-context.ts'
import { readShortChain } from './read-short-chain.ts'
import { readShallow } from './shallow.ts'
import { metadataBytesMax, type ReadObject } from './walk-history.ts'

/**
 * Picks an implementation per operation (docs/decisions/0002): in process where starting git (2.6 ms) would cost more
 * than the work (refs, loose objects, small publishes, short new history); git for everything else. Most short commands
 * never need git, so it is looked for only then; in an ordinary repository without it, everything runs in process.
 */
export function createCombinedPort(context: PortContext): GitPort {
  const { layout, environment } = context
  let others: GitPort | undefined
  /** For the other operations. */
  function other(): GitPort {
    others ??= isOrdinary(layout) && !hasGit(context) ? createIsomorphicPort(context) : createNativePort(context)
    return others
  }
  let knownPublisher: InProcessPublisher | undefined
  function publisher(): InProcessPublisher {
    const hasObject = (oid: Oid) => holdsObject(layout, (...wanted) => other().readObject(...wanted), oid)
    knownPublisher ??= createInProcessPublisher(context, hasObject)
    return knownPublisher
  }
  const hasRefFiles = layout.refStorage === 'files'

  async function publish(plan: PublishPlan): Promise<void> {
    if (!publisher().canPublish(plan)) return other().publish(plan)
    try {
      if (isLarge(plan) && hasGit(context)) await publishObjectsByGit(plan)
      else await publisher().publish(plan)
    } catch (error) {
      if (!lacksHardLinks(error)) throw error
      await other().publish(plan)
    }
  }

  /** git writes many objects as one pack, and checks many at once. The refs move in process. */
  async function publishObjectsByGit(plan: PublishPlan): Promise<void> {
    context.requirePermanentStore()
    const { objects, staged = [], updates, isOrdered = false } = plan
    const writing = { ...context, flushes: await context.flushSettings() }
    const after = new Aftermath(updates)
    const release = await writeObjects(writing, objects)
    try {
      await writeVanishedNatively(writing, staged)
      await publisher().publish({ objects: [], updates, isOrdered }, committerOf(plan))
      after.begin(updates, undefined)
      // A kept pack cannot be pruned; fewer objects are written loose.
      const mayVanish = objects.length > looseObjectsMax ? staged : [...objects, ...staged]
      await after.attempt(() => writeVanishedNatively(writing, mayVanish))
    } finally {
      release()
    }
    after.settle()
  }

  return {
    implementation: 'combined',
    get supports() {
      return other().supports
    },
    layout,
    environment,
    readRef: async (ref) => (hasRefFiles ? readRefFile(layout, ref) : other().readRef(ref)),
    listRefs: async (prefixes, onBroken) =>
      hasRefFiles ? listRefFiles(layout, [prefixes].flat(), onBroken) : other().listRefs(prefixes, onBroken),
    async readObject(oid, bytesMax) {
      try {
        const object = readLooseObject(layout, oid, bytesMax) ?? readWholePackedObject(layout, oid, bytesMax)
        return object ?? (await other().readObject(oid, bytesMax))
      } catch (error) {
        if (!(error instanceof CorruptObjectError)) throw error
        // A pack may hold a sound copy.
        return other().readObject(oid, bytesMax)
      }
    },
    async *readHistory(options) {
      const chain = readShortChain(layout, options.head, options.exclude ?? [], {
        blobBytesMax: options.blobBytesMax,
        comesFirst: options.comesFirst,
      })
      if (chain === null) yield* other().readHistory(options)
      else if (chain.entries.length > 0) yield chain.entries
    },
    async isAncestor(ancestor, descendant) {
      if (ancestor === descendant) return isHere(this.readObject, ancestor)
      const chain = readShortChain(layout, descendant, [ancestor], { blobBytesMax: 0, comesFirst: undefined })
      if (chain?.end === 'excluded') return true
      return other().isAncestor(ancestor, descendant)
    },
    listCommits: (options) => other().listCommits(options),
    findMergeBase: (left, right) => other().findMergeBase(left, right),
    findCutCommits: async (heads) => (readShallow(layout).size === 0 ? [] : other().findCutCommits(heads)),
    publish,
    async objectPlace() {
      const isOwn = context.disk === nodeDisk && !layout.unusualObjectStore
      if (!isOwn || !publisher().canPublish({ objects: [], updates: [] })) return null
      context.requirePermanentStore()
      // A file of a shared repository gets its mode where its folder was read.
      if ((await context.permissions()).isShared) return null
      return { layout, flushes: (await context.flushSettings()).objects }
    },
    stopReading: () => context.reads.stop(),
    async close() {
      context.markClosed()
      await others?.close()
    },
  }
}

function hasGit({ git }: PortContext): boolean {
  try {
    git.locate()
    return true
  } catch (error) {
    if (error instanceof GitNotFoundError) return false
    throw error
  }
}

function isLarge({ objects, staged = [] }: PublishPlan): boolean {
  return Math.max(objects.length, staged.length) > looseObjectsMax
}

// FAT and some network file systems; git's own lock files need no hard links.
function lacksHardLinks(error: unknown): boolean {
  if (!(error instanceof GriteError) || !(error.cause instanceof Error)) return false
  const { syscall, code = '' } = error.cause as NodeJS.ErrnoException
  return syscall === 'link' && ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV'].includes(code)
}

/** Whether an object exists. @throws {CorruptObjectError} when it is damaged */
async function isHere(read: ReadObject, oid: Oid): Promise<boolean> {
  try {
    return (await read(oid, metadataBytesMax)) !== null
  } catch (error) {
    if (error instanceof ObjectTooLargeError) return true
    throw error
  }
}
