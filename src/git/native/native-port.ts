import { CorruptObjectError, GitError, NotFoundError } from '../../model/errors/index.ts'
import { namesUnreadCommit } from '../classify-git-failure.ts'
import { findCutInProcess, keepCut } from '../cut-commits.ts'
import { asStorageFailure, isVanished } from '../durable/storage-failure.ts'
import { findMergeBaseInProcess, isAncestorInProcess } from '../in-process/merge-base.ts'
import { Aftermath, committerOf } from '../in-process/publish-in-process.ts'
import type { GitPort, Oid, PublishPlan } from '../port.ts'
import type { PortContext } from '../port-context.ts'
import { type GitResult, noLazyFetch } from '../run-git.ts'
import { readShallow } from '../shallow.ts'
import { shareDisk } from '../shared-permissions.ts'
import { readHistoryNatively } from './history.ts'
import { listCommitsNatively } from './list-commits.ts'
import { createObjectReader } from './object-reader.ts'
import { flushRefsNatively, listRefsNatively, moveRefsInOrder, moveRefsNatively, readRefNatively } from './refs.ts'
import { openScratchFile, scratchBytesMax } from './scratch-file.ts'
import { findVanishedNatively, writeObjects, writePack, writeVanishedNatively } from './write-objects.ts'

/** The port that uses only the git program. Works wherever git does. */
export function createNativePort(context: PortContext): GitPort {
  const { layout, environment, git, reads } = context
  const reader = createObjectReader(git, layout)

  /** Objects pruned before the refs move are written again, from the second attempt on as a pack. */
  const writesMax = 3

  async function publish(plan: PublishPlan): Promise<void> {
    const { objects, staged = [], updates, isOrdered = false } = plan
    const moveRefs = isOrdered ? moveRefsInOrder : moveRefsNatively
    const flushes = await context.flushSettings()
    const writing = { ...context, disk: shareDisk(context.disk, await context.permissions()), flushes }
    const moving = { ...writing, committer: committerOf(plan) }
    await context.hooks.at('started')
    const after = new Aftermath(updates)
    for (let turn = 1; ; turn++) {
      const missing = turn === 1 ? await findVanishedNatively(context, staged) : staged
      const release = await (turn === 1 ? writeObjects : writePack)(writing, [...objects, ...missing])
      try {
        await context.hooks.at('objects-written')
        const { moved, failure } = await moveRefs(moving, updates)
        if (failure !== undefined && moved.length === 0) {
          if (isVanished(failure) && turn < writesMax) continue
          throw failure
        }
        after.begin(moved, failure)
        await context.hooks.at('ref-moved')
        await after.attempt(() => flushRefsNatively(moving, moved))
        await after.attempt(() => writeVanishedNatively(writing, [...objects, ...staged]))
        break
      } finally {
        release()
      }
    }
    after.settle()
    await context.hooks.at('published')
  }

  /**
   * Null when git met an unreadable commit. Before git 2.45 it then finds no base even for a commit and its parent, if
   * that parent's own parent is missing; later versions, and any version on a damaged commit, fail.
   */
  async function askForBase(...words: readonly string[]): Promise<GitResult | null> {
    try {
      const found = await git.run(['merge-base', ...words], { okStatuses: [0, 1] })
      return found.exitStatus === 1 && namesUnreadCommit(found.stderr) ? null : found
    } catch (error) {
      if (error instanceof NotFoundError || error instanceof CorruptObjectError) return null
      throw error
    }
  }

  /** Commits without parents as git sees them, including those that are cut off. Null when history has holes. */
  async function listRoots(heads: readonly Oid[]): Promise<readonly Oid[] | null> {
    const input = Buffer.from(heads.map((oid) => `${oid}\n`).join(''), 'latin1')
    const { exitStatus, stdout } = await git.run(['rev-list', '--max-parents=0', '--stdin'], {
      input,
      okStatuses: [0, 128],
      environment: noLazyFetch,
    })
    return exitStatus === 0 ? (stdout.toString('latin1').split('\n').filter(Boolean) as Oid[]) : null
  }

  return {
    implementation: 'native',
    supports: { objectFormats: ['sha1', 'sha256'], refStorages: ['files', 'reftable'], alternates: true, packs: true },
    layout,
    environment,
    readRef: (ref) => readRefNatively(git, ref),
    listRefs: (prefixes, onBroken) => listRefsNatively(git, [prefixes].flat(), onBroken),
    readObject: reader.read,
    readHistory: (options) =>
      readHistoryNatively(
        {
          ...{
            git,
            format: layout.objectFormat,
            objectDir: layout.objectDir,
            readOne: reader.read,
            reads,
            scratchBytesMax,
          },
          openScratch: () => openScratchFile(context),
        },
        options,
        readShallow(layout),
      ),
    listCommits: (options) =>
      listCommitsNatively(
        { git, format: layout.objectFormat, readOne: reader.read, reads },
        options,
        readShallow(layout),
      ),
    async isAncestor(ancestor, descendant) {
      const found = await askForBase('--is-ancestor', ancestor, descendant)
      if (found === null) return isAncestorInProcess(reader.read, ancestor, descendant, readShallow(layout))
      return found.exitStatus === 0
    },
    async findMergeBase(left, right) {
      const found = await askForBase(left, right)
      if (found === null) return findMergeBaseInProcess(reader.read, left, right, readShallow(layout))
      const [base = ''] = found.stdout.toString('latin1').split('\n')
      return base === '' ? null : (base as Oid)
    },
    async findCutCommits(heads) {
      const shallow = readShallow(layout)
      if (shallow.size === 0 || heads.length === 0) return []
      const roots = await listRoots(heads)
      if (roots === null) return findCutInProcess(reader.read, heads, shallow)
      return keepCut(roots, shallow, reader.read)
    },
    async publish(plan) {
      if (context.closed()) throw new GitError('the repository has been closed')
      context.requirePermanentStore()
      await publish(plan).catch((error: unknown) => {
        throw asStorageFailure(error, 'publishing')
      })
    },
    stopReading: () => reads.stop(),
    async close() {
      context.markClosed()
      await reader.close()
    },
  }
}
