import { GitError, NotFoundError } from '../../model/errors/index.ts'
import { committerOf } from '../durable/publish-in-process.ts'
import { asStorageFailure } from '../durable/storage-failure.ts'
import type { GitPort, Oid, PendingObject, PublishPlan } from '../port.ts'
import type { PortContext } from '../port-context.ts'
import { readHistoryNatively } from './history.ts'
import { createObjectReader } from './object-reader.ts'
import { listRefsNatively, moveRefsNatively, readRefNatively } from './refs.ts'
import { writeObjects } from './write-objects.ts'

/** The port by the git program alone. Works wherever git does. */
export function createNativePort(context: PortContext): GitPort {
  const { layout, environment, git } = context
  const reader = createObjectReader(git, layout)

  async function publish({ objects, updates }: PublishPlan): Promise<void> {
    const flushes = await context.flushSettings()
    const writing = { ...context, flushes }
    await context.hooks.at('started')
    const release = await writeObjects(writing, objects)
    try {
      await context.hooks.at('objects-written')
      await moveRefsNatively({ ...writing, committer: committerOf(updates, objects) }, updates)
      await context.hooks.at('ref-moved')
      const vanished = await findVanished(objects)
      if (vanished.length > 0) (await writeObjects(writing, vanished))()
      await context.hooks.at('published')
    } finally {
      release()
    }
  }

  async function findVanished(objects: readonly PendingObject[]): Promise<readonly PendingObject[]> {
    if (objects.length === 0) return []
    const input = Buffer.from(objects.map(({ oid }) => `${oid}\n`).join(''), 'latin1')
    const { stdout } = await git.run(['cat-file', '--batch-check', '--buffer'], { input })
    const answers = stdout.toString('latin1').split('\n')
    return objects.filter((_object, row) => answers[row]?.endsWith(' missing') ?? true)
  }

  return {
    implementation: 'native',
    supports: { objectFormats: ['sha1', 'sha256'], refStorages: ['files', 'reftable'], alternates: true, packs: true },
    layout,
    environment,
    readRef: (ref) => readRefNatively(git, ref),
    listRefs: (prefixes, onBroken) => listRefsNatively(git, [prefixes].flat(), onBroken),
    readObject: reader.read,
    readHistory: (options) => readHistoryNatively(git, layout.objectFormat, reader.read, options),
    async isAncestor(ancestor, descendant) {
      try {
        const { exitStatus } = await git.run(['merge-base', '--is-ancestor', ancestor, descendant], {
          okStatuses: [0, 1],
        })
        return exitStatus === 0
      } catch (error) {
        if (error instanceof NotFoundError) return false
        throw error
      }
    },
    async findMergeBase(left, right) {
      try {
        const { stdout } = await git.run(['merge-base', left, right], { okStatuses: [0, 1] })
        const [base = ''] = stdout.toString('latin1').split('\n')
        return base === '' ? null : (base as Oid)
      } catch (error) {
        if (error instanceof NotFoundError) return null
        throw error
      }
    },
    async publish(plan) {
      if (context.closed()) throw new GitError('the repository has been closed')
      await publish(plan).catch((error: unknown) => {
        throw asStorageFailure(error, 'publishing')
      })
    },
    async close() {
      context.markClosed()
      await reader.close()
    },
  }
}
