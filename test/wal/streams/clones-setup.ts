/** Clones of one remote, all in memory except their journals. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { RemotePort } from '../../../src/git/index.ts'
import type { CloneId, StreamId } from '../../../src/model/streams/index.ts'
import {
  type Fetched,
  type Published,
  publishStreams,
  type RemotePlace,
  type Rescued,
  readTrackedHead,
  type StreamDamage,
  type StreamStore,
} from '../../../src/wal/streams/index.ts'
import { createMemoryWorld, type MemoryRefs } from '../../support/memory-git.ts'
import { type MemoryRepository, memoryRepositoryIn } from './store-setup.ts'

export interface Clone extends MemoryRepository {
  readonly cloneId: CloneId
  store: StreamStore
  /** Ends the process without a chance to do anything, and starts another one. */
  restart(): StreamStore
  readonly place: RemotePlace
  publish(...ids: readonly StreamId[]): Promise<Published>
  /** Every stream without ids. */
  fetch(...ids: readonly StreamId[]): Promise<Fetched>
  rescue(id: StreamId): Promise<Rescued | null>
}

export interface Clones {
  readonly remote: MemoryRefs
  /** Refs of a remote named `bundle`. */
  readonly bundle: MemoryRefs
  readonly clones: readonly Clone[]
}

/**
 * @param wrap - changes how a clone reaches the remote
 * @param idOf - a copied repository has the id of its original
 */
export function createClones(
  t: Pick<TestContext, 'after'>,
  count: number,
  wrap: (remotes: RemotePort) => RemotePort = (remotes) => remotes,
  idOf: (index: number) => CloneId = (index) => `${index + 1}`.repeat(32) as CloneId,
): Clones {
  const dir = mkdtempSync(join(tmpdir(), 'grite-streams-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  const world = createMemoryWorld()
  const remote: MemoryRefs = new Map()
  const bundle: MemoryRefs = new Map()
  const clones = Array.from({ length: count }, (_, index): Clone => {
    const folder = join(dir, `${index}`)
    mkdirSync(folder)
    const repository = memoryRepositoryIn(t, folder, world, index + 1)
    const cloneId = idOf(index)
    const known = new Map([
      ['origin', remote],
      ['bundle', bundle],
    ])
    const remotes = wrap(world.openRemotes(repository.refs, known))
    const store = repository.open(cloneId)
    const place: RemotePlace = {
      ...{ git: repository.git, remotes, manifests: store.reader.manifests, remote: 'origin', runHooks: false },
      ...{ clock: repository.clock, jitter: () => 0.5 },
      onDamage: (found: StreamDamage) => repository.damage.push(found),
    }
    return {
      ...repository,
      ...{ cloneId, store, place },
      restart() {
        this.store = repository.open(cloneId)
        return this.store
      },
      async publish(...ids) {
        return await publishStreams(place, { ids, isDryRun: false })
      },
      async fetch(...ids) {
        return await this.store.fetch(place, { ids: ids.length === 0 ? null : ids, isWanted: () => true })
      },
      async rescue(id) {
        return (await rescueAll(this.store, place, id)).at(-1) ?? null
      },
    }
  })
  return { remote, bundle, clones }
}

/** Rescues every generation that this clone has, as the command does. */
export async function rescueAll(store: StreamStore, place: RemotePlace, id: StreamId): Promise<readonly Rescued[]> {
  const rescued: Rescued[] = []
  const newest = (await store.find(id))?.manifest.generation ?? 0
  for (let generation = 0; generation <= newest; generation++) {
    const onto = await readTrackedHead(place, store.refOf(id, generation))
    rescued.push(...(await store.rescue({ streamId: id, generation }, onto, { actor: null, reason: null })))
  }
  return rescued
}
