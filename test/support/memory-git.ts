/**
 * Repositories and remotes in memory: the part of `GitPort` and `RemotePort` that the log needs, fast enough for
 * thousands of histories. All repositories of a world share their objects, but not their refs.
 */

import {
  type GitObject,
  type GitPort,
  type Oid,
  type PushedRef,
  type PushUpdate,
  parseCommit,
  type RefName,
  type RemotePort,
} from '../../src/git/index.ts'
import { listCommitsInProcess } from '../../src/git/list-commits.ts'
import { Reads } from '../../src/git/reads.ts'
import { walkHistory } from '../../src/git/walk-history.ts'
import { NotFoundError, RefMovedError } from '../../src/model/index.ts'

export type MemoryRefs = Map<string, Oid>

export interface MemoryWorld {
  readonly objects: Map<Oid, GitObject>
  openGit(refs: MemoryRefs): GitPort
  /** Opens the given remotes of a repository. */
  openRemotes(refs: MemoryRefs, remotes: ReadonlyMap<string, MemoryRefs>): RemotePort
}

export function createMemoryWorld(): MemoryWorld {
  const objects = new Map<Oid, GitObject>()
  const parentsOf = (oid: Oid): readonly Oid[] => {
    const object = objects.get(oid)
    return object?.type === 'commit' ? parseCommit(object.content).parents : []
  }
  const ancestors = (from: Oid): Set<Oid> => {
    const seen = new Set<Oid>()
    const pending = [from]
    for (let oid = pending.pop(); oid !== undefined; oid = pending.pop()) {
      if (seen.has(oid) || !objects.has(oid)) continue
      seen.add(oid)
      pending.push(...parentsOf(oid))
    }
    return seen
  }
  const isAncestor = (ancestor: Oid, descendant: Oid) => ancestors(descendant).has(ancestor)

  function openGit(refs: MemoryRefs): GitPort {
    const readObject = async (oid: Oid) => objects.get(oid) ?? null
    return {
      implementation: 'native',
      supports: { objectFormats: ['sha1'], refStorages: ['files'], alternates: false, packs: false },
      layout: {
        gitDir: '/nowhere',
        commonDir: '/nowhere',
        workTree: null,
        objectFormat: 'sha1',
        refStorage: 'files',
        objectDir: '/nowhere/objects',
        unusualObjectStore: false,
      },
      environment: {},
      readRef: async (ref) => refs.get(ref) ?? null,
      listRefs: async (prefixes) =>
        [...refs]
          .filter(([ref]) => [prefixes].flat().some((prefix) => ref.startsWith(prefix)))
          .sort()
          .map(([ref, oid]) => ({ ref: ref as RefName, oid })),
      readObject,
      readHistory: (options) => walkHistory('sha1', readObject, options),
      listCommits: (options) => listCommitsInProcess(readObject, options, { shallow: new Set(), reads: new Reads() }),
      isAncestor: async (ancestor, descendant) => isAncestor(ancestor, descendant),
      async findMergeBase(left, right) {
        const ofRight = ancestors(right)
        const pending = [left]
        // Histories are linear here, so the first common ancestor found is the best one.
        for (let oid = pending.shift(); oid !== undefined; oid = pending.shift()) {
          if (ofRight.has(oid)) return oid
          pending.push(...parentsOf(oid))
        }
        return null
      },
      findCutCommits: async () => [],
      async publish({ objects: written, updates }) {
        for (const object of written) objects.set(object.oid, object)
        for (const { ref, expected } of updates) {
          const found = refs.get(ref) ?? null
          if (found !== expected) throw new RefMovedError(ref, expected, found)
        }
        for (const { ref, next } of updates) {
          if (next === null) refs.delete(ref)
          else refs.set(ref, next)
        }
      },
      stopReading() {},
      close: async () => {},
    }
  }

  function openRemotes(refs: MemoryRefs, remotes: ReadonlyMap<string, MemoryRefs>): RemotePort {
    const reach = (name: string): MemoryRefs => {
      const remote = remotes.get(name)
      if (remote === undefined) throw new NotFoundError(`no remote '${name}'`)
      return remote
    }
    return {
      listRemotes: async () => [...remotes.keys()],
      hasRemote: async (name) => remotes.has(name),
      async fetch({ remote, refspecs, onStart, onTransferred, mayMove }) {
        const theirs = new Map(reach(remote))
        onStart?.()
        onTransferred?.(theirs as ReadonlyMap<string, Oid> as ReadonlyMap<RefName, Oid>)
        await mayMove
        for (const refspec of refspecs) {
          const [source = '', target = ''] = refspec.replace(/^\+/, '').split(':')
          const [from, to] = [source.replace('*', ''), target.replace('*', '')]
          for (const ref of [...refs.keys()]) {
            if (ref.startsWith(to) && !theirs.has(from + ref.slice(to.length))) refs.delete(ref)
          }
          for (const [ref, oid] of theirs) if (ref.startsWith(from)) refs.set(to + ref.slice(from.length), oid)
        }
        return []
      },
      async push({ remote, updates, atomic }) {
        const theirs = reach(remote)
        const judged = updates.map((update) => ({ update, outcome: judge(theirs, update) }))
        const isRefused = atomic && judged.some(({ outcome }) => outcome === 'stale')
        return judged.map(({ update, outcome }): PushedRef => {
          const { ref, next } = update
          if (isRefused || outcome === 'stale') return { ref, outcome: 'stale', reason: 'fetch first' }
          if (next === null) theirs.delete(ref)
          else theirs.set(ref, next)
          return { ref, outcome, reason: '' }
        })
      },
      listMissing: async () => [],
      fetchObjects: async () => {},
      close() {},
      refetchObjects: async () => {},
      refetchRef: async () => {},
      completeRef: async () => {},
    }
  }

  function judge(theirs: MemoryRefs, update: PushUpdate): 'ok' | 'up-to-date' | 'stale' {
    const found = theirs.get(update.ref)
    if (update.next === null) return found === update.expected ? 'ok' : 'stale'
    if (found === update.next) return 'up-to-date'
    if (update.isNew === true && found !== undefined) return 'stale'
    return found === undefined || isAncestor(found, update.next) ? 'ok' : 'stale'
  }

  return { objects, openGit, openRemotes }
}
