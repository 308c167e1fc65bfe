import type { AbstractBatchOperation, AbstractLevel, AbstractSnapshot } from 'abstract-level'
import type { IssueId } from '../model/index.ts'
import type { KeyRange } from './keys.ts'
import type { ListText } from './list-file.ts'
import type { FoundLine } from './rows-section.ts'
import { type StepSource, scanInSteps } from './scan-in-steps.ts'

/** Changes that are applied together, completely or not at all. A later change of a key replaces an earlier one. */
export interface StoreBatch {
  /** Copies key and value, so the caller may reuse the buffers. */
  put(key: Buffer, value: Buffer): void
  del(key: Buffer): void
  /** Applies the changes; the batch cannot be used afterwards. */
  write(): Promise<void>
}

export interface ScanOptions {
  readonly gte?: Buffer
  readonly lt?: Buffer
  readonly reverse?: boolean
  /** -1, the default, for all. */
  readonly limit?: number
  /** How much LevelDB returns in one step; for scans of many items. */
  readonly highWaterMarkBytes?: number
}

/** Items of a range, in byte order of their keys. Ends at the last item, or with `close`. */
export interface Scan<Item> extends AsyncIterable<Item> {
  next(): Promise<Item | undefined>
  all(): Promise<Item[]>
  close(): Promise<void>
}

/** `Store.firstKeys` by a scan of each range. */
export function scanFirstKeys(
  { keys }: Pick<Store, 'keys'>,
  ranges: readonly KeyRange[],
  limit: number,
): Promise<Buffer[][]> {
  return Promise.all(ranges.map((range) => keys({ ...range, limit }).all()))
}

/** The key-value store under a view: LevelDB on disk or in memory, a snapshot of one, or a layer above one. */
export interface Store {
  /** False for an in-memory store, which is gone with the process. */
  readonly isOnDisk: boolean
  get(key: Buffer): Promise<Buffer | undefined>
  /** Values in the order of the keys. */
  getMany(keys: Buffer[]): Promise<(Buffer | undefined)[]>
  keys(options?: ScanOptions): Scan<Buffer>
  /** The first keys of each range, at most `limit`. For many short ranges, faster than a scan of each. */
  firstKeys(ranges: readonly KeyRange[], limit: number): Promise<Buffer[][]>
  values(options?: ScanOptions): Scan<Buffer>
  /** Values as UTF-8 text, decoded by LevelDB's binding: faster than through buffers. */
  texts(options?: ScanOptions): Scan<string>
  iterator(options?: ScanOptions): Scan<[Buffer, Buffer]>
  /** The rows of issues, null for an unknown one, and how far the ids beside them are like theirs; undefined where that takes longer. */
  findRows?(ids: readonly IssueId[]): readonly (FoundLine | null)[] | undefined
  /** The whole list as text, from a store that has it ready. */
  listText?(): ListText | undefined
  startBatch(): StoreBatch
  put(key: Buffer, value: Buffer): Promise<void>
  del(key: Buffer): Promise<void>
  /** Moves into tables what LevelDB has only in its log. Otherwise the next one to open the store does, and waits. */
  compactLog(): Promise<void>
  /** The present state of the store, read-only. Closing it leaves this store open, which must outlive it. */
  snapshot(): Store
  close(): Promise<void>
}

type Level = AbstractLevel<Buffer, Buffer, Buffer>

/** Searches of `firstKeys` at the same time: each waits for a thread of Node's pool, which has four. */
const searchesMax = 4

const encoding = { keyEncoding: 'buffer', valueEncoding: 'buffer' } as const

/** An in-memory store, gone with the process. */
export async function openMemoryStore(): Promise<Store> {
  const { MemoryLevel } = await import('memory-level')
  const level = new MemoryLevel<Buffer, Buffer>(encoding)
  await level.open()
  return overLevel(level as unknown as Level, {
    isOnDisk: false,
    startBatch: startMemoryBatch,
    compactLog: async () => {},
  })
}

/** A LevelDB directory. `describeOpenFailure` explains its errors. */
export async function openDiskStore(directory: string, { create }: { readonly create: boolean }): Promise<Store> {
  const { ClassicLevel } = await import('classic-level')
  const level = new ClassicLevel<Buffer, Buffer>(directory, { ...encoding, createIfMissing: create })
  await level.open()
  return overLevel(level as unknown as Level, {
    isOnDisk: true,
    startBatch: startDiskBatch,
    // Compacting a range without keys does nothing else.
    compactLog: () => level.compactRange(Buffer.of(0xff), Buffer.of(0xff, 0xff)),
  })
}

/** LevelDB copies each change into its own memory at once: half the time of handing over a list of changes. */
function startDiskBatch(level: Level): StoreBatch {
  const batch = level.batch()
  return {
    put: (key, value) => void batch.put(key, value),
    del: (key) => void batch.del(key),
    write: () => batch.write(),
  }
}

function startMemoryBatch(level: Level): StoreBatch {
  const operations: AbstractBatchOperation<Level, Buffer, Buffer>[] = []
  return {
    put: (key, value) => void operations.push({ type: 'put', key: Buffer.from(key), value: Buffer.from(value) }),
    del: (key) => void operations.push({ type: 'del', key: Buffer.from(key) }),
    write: () => level.batch(operations),
  }
}

interface LevelKind extends Pick<Store, 'isOnDisk' | 'compactLog'> {
  startBatch(level: Level): StoreBatch
}

function overLevel(level: Level, { isOnDisk, startBatch, compactLog }: LevelKind): Store {
  return {
    isOnDisk,
    ...readsOf(level),
    startBatch: () => startBatch(level),
    compactLog,
    put: (key, value) => level.put(key, value),
    del: (key) => level.del(key),
    snapshot() {
      const snapshot = level.snapshot()
      return {
        isOnDisk,
        ...readsOf(level, snapshot),
        ...refusedWrites,
        snapshot: refuseSnapshot,
        close: () => snapshot.close(),
      }
    },
    close: () => level.close(),
  }
}

function readsOf(level: Level, snapshot?: AbstractSnapshot) {
  const state = snapshot === undefined ? {} : { snapshot }
  return {
    get: (key: Buffer) => level.get(key, state),
    getMany: (keys: Buffer[]) => level.getMany(keys, state),
    keys: (options?: ScanOptions) => scan(level.keys({ ...options, ...state }), options),
    async firstKeys(ranges: readonly KeyRange[], limit: number) {
      const found: Buffer[][] = []
      const waiting = ranges.entries()
      const search = async (): Promise<void> => {
        const iterator = level.keys(state)
        try {
          for (const [index, { gte, lt }] of waiting) {
            iterator.seek(gte)
            const keys = await iterator.nextv(limit)
            found[index] = keys.filter((key) => key.compare(lt) < 0)
          }
        } finally {
          await iterator.close()
        }
      }
      await Promise.all(Array.from({ length: Math.min(searchesMax, ranges.length) }, search))
      return found
    },
    values: (options?: ScanOptions) => scan(level.values({ ...options, ...state }), options),
    texts: (options?: ScanOptions) =>
      scan(level.values<Buffer, string>({ ...options, ...state, valueEncoding: 'utf8' }), options),
    iterator: (options?: ScanOptions) => scan(level.iterator({ ...options, ...state }), options),
  }
}

/** A reader of large steps reads much. */
function scan<Item>(source: StepSource<Item>, options: ScanOptions | undefined): Scan<Item> {
  return scanInSteps(source, options?.highWaterMarkBytes !== undefined)
}

const refuseWrite = async (): Promise<never> => {
  throw new TypeError('a snapshot of a store is read-only')
}
const refusedWrites = {
  startBatch: (): never => {
    throw new TypeError('a snapshot of a store is read-only')
  },
  put: refuseWrite,
  del: refuseWrite,
  compactLog: refuseWrite,
}

function refuseSnapshot(): never {
  throw new TypeError('a snapshot has no snapshots')
}

/** Why a store did not open: held by a process, missing, not writable, no space, or unreadable. */
export type OpenFailure = 'locked' | 'missing' | 'read-only' | 'full' | 'unreadable'

/** Classifies an error from opening a store or making its folder. */
export function describeOpenFailure(error: unknown): OpenFailure {
  const { code, cause } = error as { code?: string; cause?: { code?: string; message?: string } }
  if (code === 'EROFS' || code === 'EACCES' || code === 'EPERM') return 'read-only'
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'full'
  if (cause?.code === 'LEVEL_LOCKED') return 'locked'
  const message = cause?.message ?? ''
  if (/does not exist \(create_if_missing is false\)/.test(message)) return 'missing'
  if (/Read-only file system|Permission denied/i.test(message)) return 'read-only'
  if (/No space left on device|Disk quota exceeded/i.test(message)) return 'full'
  return 'unreadable'
}

/** Whether LevelDB itself failed on an open store; a fresh directory may work. */
export function isStoreFailure(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && code.startsWith('LEVEL_')
}

/** Whether a file of an open store could not be read or written, or has damaged content. */
export function isFileFailure(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return code === 'LEVEL_IO_ERROR' || code === 'LEVEL_CORRUPTION'
}
