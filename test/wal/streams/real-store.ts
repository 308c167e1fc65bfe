/** Streams of real repositories: how a process opens them, and the acts that tests let it be killed in. */
import { join } from 'node:path'
import type { Disk } from '../../../src/git/durable/disk.ts'
import {
  findRepository,
  type GitPort,
  openRemotes,
  openRepository,
  type PublishHooks,
  privatePermissions,
  type RemotePort,
  randomBytes,
} from '../../../src/git/index.ts'
import type { CloneId, StreamId } from '../../../src/model/streams/index.ts'
import { publishStreams, type RemotePlace, StreamStore } from '../../../src/wal/streams/index.ts'
import { branching, creation, draft, local } from './store-setup.ts'

export interface RealPlace {
  readonly cwd: string
  readonly environment: Readonly<Record<string, string>>
  readonly cloneId: CloneId
}

export interface RealStore {
  readonly git: GitPort
  readonly remotes: RemotePort
  readonly folder: string
  /** A new process on the repository, as far as streams can tell. */
  open(cloneId?: CloneId): StreamStore
  /** How a store reaches `origin`. */
  remotePlace(store: StreamStore): RemotePlace
}

export interface RealStoreOptions {
  readonly hooks?: PublishHooks
  readonly disk?: Disk
  readonly nowUnixMs?: () => number
  readonly warn?: (reason: string) => void
}

export async function openRealStore(
  { cwd, environment, cloneId }: RealPlace,
  { nowUnixMs = Date.now, warn = throwReason, ...options }: RealStoreOptions = {},
): Promise<RealStore> {
  const layout = await findRepository({ cwd, env: environment })
  const git = openRepository(layout, { environment, ...options })
  const remotes = openRemotes(git, { isInteractive: false })
  const folder = join(layout.commonDir, 'grite/streams')
  const clock = { nowUnixMs }
  return {
    ...{ git, remotes, folder },
    open: (owner = cloneId) =>
      new StreamStore({
        ...{ git, folder, permissions: privatePermissions, clock, random: randomBytes },
        cloneId: async () => owner,
        warn: ({ reason }) => warn(reason),
      }),
    remotePlace: (store) => ({
      ...{ git, remotes, manifests: store.reader.manifests, remote: 'origin', runHooks: false, clock },
      jitter: Math.random,
      onDamage: ({ reason }) => warn(reason),
    }),
  }
}

function throwReason(reason: string): never {
  throw new Error(reason)
}

export type StreamDeed =
  | { readonly name: 'append'; readonly stream: StreamId; readonly text: string }
  | { readonly name: 'seal' | 'retain' | 'takeover' | 'delete' | 'publish'; readonly stream: StreamId }
  | { readonly name: 'merge' | 'branch'; readonly stream: StreamId; readonly source: StreamId }
  | { readonly name: 'create'; readonly stream: StreamId }

const facts = { actor: null, reason: null }

/** @returns the offset of an append */
export async function perform(
  { remotePlace }: Pick<RealStore, 'remotePlace'>,
  store: StreamStore,
  deed: StreamDeed,
): Promise<number | null> {
  const { stream } = deed
  switch (deed.name) {
    case 'create':
      await store.create(stream, creation)
      return null
    case 'append':
      return (await store.append(stream, [draft(deed.text)], local)).offset
    case 'seal':
      await store.seal(stream)
      return null
    case 'branch':
      await store.branch(stream, deed.source, branching)
      return null
    case 'merge':
      await store.acts.merge(stream, {
        ...({ into: 'existing', policy: 'interleave', preview: false, ...facts } as const),
        ...{ sources: [{ streamId: deed.source }], labels: [], evidence: [], notes: [], rows: [] },
      })
      return null
    case 'retain':
      await store.acts.retain(stream, {
        ...{ policy: { maxAgeMs: null, maxBytes: null, maxCount: 2 }, compact: false, preview: false },
        ...facts,
      })
      return null
    case 'takeover':
      await store.acts.takeOver(stream, facts)
      return null
    case 'delete':
      await store.acts.delete(stream, facts)
      return null
    case 'publish':
      await publishStreams(remotePlace(store), { ids: [stream], isDryRun: false })
      return null
  }
}
