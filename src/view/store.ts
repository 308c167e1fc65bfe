import type { AbstractBatchOperation, AbstractLevel } from 'abstract-level'

/** The key-value store under a view: classic-level on disk, memory-level where nothing can be written. */
export type Store = AbstractLevel<Buffer, Buffer, Buffer>
export type StoreOperation = AbstractBatchOperation<Store, Buffer, Buffer>

const encoding = { keyEncoding: 'buffer', valueEncoding: 'buffer' } as const

/** A store that lives and dies with the process. */
export async function openMemoryStore(): Promise<Store> {
  const { MemoryLevel } = await import('memory-level')
  const store = new MemoryLevel<Buffer, Buffer>(encoding)
  await store.open()
  return store as unknown as Store
}

/** A LevelDB directory. Throws what `describeOpenFailure` explains. */
export async function openDiskStore(directory: string, { create }: { readonly create: boolean }): Promise<Store> {
  const { ClassicLevel } = await import('classic-level')
  const store = new ClassicLevel<Buffer, Buffer>(directory, { ...encoding, createIfMissing: create })
  await store.open()
  return store as unknown as Store
}

/** Why a store did not open: held by a process, not there, not to be written, no room, or not to be read. */
export type OpenFailure = 'locked' | 'missing' | 'read-only' | 'full' | 'unreadable'

/** Judges what opening a store, or making its folder, failed with. */
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

/** Whether LevelDB itself failed at work on an open store, which a fresh directory may not. */
export function isStoreFailure(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && code.startsWith('LEVEL_')
}

/** Whether a file of an open store could not be read or written, or holds something else than LevelDB has written. */
export function isFileFailure(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return code === 'LEVEL_IO_ERROR' || code === 'LEVEL_CORRUPTION'
}
