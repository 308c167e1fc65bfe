/** Record streams of a new repository, and seeded records for them. */
import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { findRepository, type GitPort, openRepository, privatePermissions } from '../../src/git/index.ts'
import { type CloneId, parseStreamId, type StreamId } from '../../src/model/streams/index.ts'
import { type ReadRecord, type RecordDraft, StreamStore } from '../../src/wal/streams/index.ts'
import { benchEnv } from '../measure.ts'
import { mulberry32 } from '../mulberry32.ts'

export interface OpenStore {
  readonly store: StreamStore
  readonly git: GitPort
  /** Closes the store, then git. */
  close(): Promise<void>
}

export const creation = { actor: null, reason: null, labels: [], retention: null } as const
export const branching = { actor: null, reason: null, labels: [] } as const
export const local = { durability: 'local' } as const
export const streamNamed = (text: string): StreamId => parseStreamId(text)

export const benchCloneId = 'ab'.repeat(16) as CloneId

/** A store as a new process opens it: nothing is cached in memory. */
export async function openStore(cwd: string): Promise<OpenStore> {
  const layout = await findRepository({ cwd, env: benchEnv })
  const git = openRepository(layout, { environment: benchEnv, permissions: privatePermissions, warn: () => {} })
  const store = new StreamStore({
    ...{
      git,
      folder: join(layout.commonDir, 'grite/streams'),
      permissions: privatePermissions,
      clock: { nowUnixMs: Date.now },
    },
    cloneId: async () => benchCloneId,
    random: randomBytes,
    warn: ({ reason }) => process.stderr.write(`${reason}\n`),
  })
  const close = async () => {
    await store.close()
    await git.close()
  }
  return { store, git, close }
}

/** Payloads of random words, about as compressible as a log: 160 bytes, so that a stored record has about 200. */
export function makePayloads(count: number, seed = 1, bytes = 160): readonly Uint8Array[] {
  const random = mulberry32(seed)
  const word = () => Math.floor(random() * 36 ** 4).toString(36)
  return Array.from({ length: count }, () => {
    let text = ''
    while (text.length < bytes) text += `${word()} ${word()} `
    return Buffer.from(text.slice(0, bytes))
  })
}

export const toDrafts = (payloads: readonly Uint8Array[]): readonly RecordDraft[] =>
  payloads.map((payload) => ({ payload, headers: [['kind', 'note']], contentType: 'text/plain' }))

/** Appends payloads many at a time, and seals them. */
export async function fillStream(store: StreamStore, streamId: StreamId, count: number, appendRecords = 2048) {
  const payloads = makePayloads(Math.min(count, 16_384))
  const under: Promise<unknown>[] = []
  for (let done = 0; done < count; ) {
    const start = done % payloads.length
    const batch = payloads.slice(start, start + Math.min(appendRecords, count - done))
    under.push(store.append(streamId, toDrafts(batch), local))
    done += batch.length
    if (under.length >= 8) await under.shift()
  }
  await Promise.all(under)
  await store.seal(streamId)
}

/** A digest of offsets and stored bytes without their times, which differ from run to run. */
export class RecordDigest {
  readonly #hash = createHash('sha256')
  #count = 0

  add(records: readonly ReadRecord[]): void {
    this.#count += records.length
    for (const { offset, bytes } of records) this.#hash.update(`${offset}:`).update(bytes.subarray(10))
  }

  get count(): number {
    return this.#count
  }

  toString(): string {
    return `${this.#count} records, digest ${this.#hash.copy().digest('hex').slice(0, 16)}`
  }
}

export const perSecond = (count: number, elapsedMs: number): string =>
  `${Math.round((count / elapsedMs) * 1000).toLocaleString('en-US')}/s`

export async function timed<Result>(work: () => Promise<Result>): Promise<{ result: Result; elapsedMs: number }> {
  const start = performance.now()
  const result = await work()
  return { result, elapsedMs: performance.now() - start }
}
