import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type GitPort, privatePermissions, type RefName } from '../../../src/git/index.ts'
import { type CloneId, parseStreamId, type StreamId } from '../../../src/model/streams/index.ts'
import {
  type ReadOptions,
  type ReadRecord,
  type RecordDraft,
  type StreamDamage,
  type StreamPlace,
  StreamStore,
} from '../../../src/wal/streams/index.ts'
import { createMemoryWorld, type MemoryRefs, type MemoryWorld } from '../../support/memory-git.ts'

export const cloneA = 'aa'.repeat(16) as CloneId
export const cloneB = 'bb'.repeat(16) as CloneId
export const startMs = 1_700_000_000_000

export const id = (text: string): StreamId => parseStreamId(text)
export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
export const draft = (text: string, more: Partial<RecordDraft> = {}): RecordDraft => ({ payload: utf8(text), ...more })
export const local = { durability: 'local' } as const
export const creation = { actor: null, reason: null, labels: [], retention: null } as const
export const branching = { actor: null, reason: null, labels: [] } as const

/** A repository whose objects and refs are in memory, and whose journals are in a temp folder. */
export interface MemoryRepository {
  readonly world: MemoryWorld
  readonly refs: MemoryRefs
  readonly git: GitPort
  readonly folder: string
  readonly clock: { nowUnixMs: () => number; at: number }
  readonly damage: StreamDamage[]
  /** A new process on the repository. */
  open(cloneId?: CloneId): StreamStore
}

export function createMemoryRepository(t: TestContext): MemoryRepository {
  const dir = mkdtempSync(join(tmpdir(), 'grite-streams-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  return memoryRepositoryIn(t, dir)
}

export function memoryRepositoryIn(
  t: Pick<TestContext, 'after'>,
  dir: string,
  world: MemoryWorld = createMemoryWorld(),
  firstSeed = 1,
): MemoryRepository {
  const refs: MemoryRefs = new Map()
  const plain = world.openGit(refs)
  const git: GitPort = { ...plain, layout: { ...plain.layout, commonDir: dir, gitDir: dir } }
  const folder = join(dir, 'grite/streams')
  mkdirSync(folder, { recursive: true })
  const clock = { at: startMs, nowUnixMs: () => clock.at }
  const damage: StreamDamage[] = []
  let seed = firstSeed
  const open = (cloneId: CloneId = cloneA): StreamStore => {
    const place: StreamPlace = {
      ...{ git, folder, permissions: privatePermissions, clock },
      cloneId: async () => cloneId,
      random: (byteCount) => Uint8Array.from({ length: byteCount }, () => (seed = (seed * 48_271) % 2_147_483_647)),
      warn: (found) => damage.push(found),
    }
    const store = new StreamStore(place)
    t.after(() => store.close())
    return store
  }
  return { world, refs, git, folder, clock, damage, open }
}

/** All records, in batches joined. */
export async function readAll(
  store: StreamStore,
  streamId: StreamId,
  options: Partial<ReadOptions> = {},
): Promise<ReadRecord[]> {
  const found: ReadRecord[] = []
  for await (const records of store.read(streamId, { from: 0, includeTail: true, ...options })) found.push(...records)
  return found
}

export async function textsOf(
  store: StreamStore,
  streamId: StreamId,
  options: Partial<ReadOptions> = {},
): Promise<string[]> {
  return (await readAll(store, streamId, options)).map((record) => Buffer.from(record.record().payload).toString())
}

export function refOf(refs: MemoryRefs, oid: string): RefName | undefined {
  return [...refs].find(([, value]) => value === oid)?.[0] as RefName | undefined
}
