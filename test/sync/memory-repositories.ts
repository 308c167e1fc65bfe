import fc from 'fast-check'
import type { Oid } from '../../src/git/index.ts'
import { walRef } from '../../src/wal/index.ts'
import { createMemoryWorld, type MemoryRefs } from '../support/memory-git.ts'
import { cloneCount, createIdReader, history, playHistory, type Repositories, remoteNames } from './histories.ts'

/** Plays random histories of clones in memory; all converge and lose nothing. */
export async function assertClonesConverge(numRuns: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(history(14), async (steps) => playHistory(createMemoryRepositories(), steps)),
    { numRuns },
  )
}

function createMemoryRepositories(): Repositories {
  const world = createMemoryWorld()
  const remotes = new Map<string, MemoryRefs>(remoteNames.map((name) => [name, new Map()]))
  const makeClone = () => {
    const refs: MemoryRefs = new Map()
    return { git: world.openGit(refs), remotes: world.openRemotes(refs, remotes) }
  }
  const clones = Array.from({ length: cloneCount }, makeClone)
  return {
    clones,
    ids: createIdReader(),
    async renewClone(index) {
      clones[index] = makeClone()
    },
    reader: world.openGit(new Map()),
    remoteHead: async (remote) => remotes.get(remote)?.get(walRef) ?? null,
    async setRemoteHead(remote, head: Oid | null) {
      if (head === null) remotes.get(remote)?.delete(walRef)
      else remotes.get(remote)?.set(walRef, head)
    },
  }
}
