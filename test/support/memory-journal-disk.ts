import { dirname, join } from 'node:path'
import type { JournalDisk } from '../../src/wal/streams/journal/journal-disk.ts'

interface MemoryFile {
  readonly inode: number
  bytes: Uint8Array
  /** Bytes that a crash keeps. */
  flushed: number
}

/** A file operation that a test may let fail. */
export type DiskStep = 'list' | 'open' | 'create' | 'read' | 'write' | 'flush' | 'flushFolder' | 'link' | 'remove'

/**
 * A disk in memory that loses on a crash what was not flushed.
 *
 * Hooks: `before` runs before a step, and may throw or change the disk; `roomBytes` limits what writes may add;
 * `afterRead` may change what a read returns.
 */
export class MemoryJournalDisk implements JournalDisk {
  readonly files = new Map<string, MemoryFile>()
  /** Names that a crash keeps, by path. */
  readonly #flushedNames = new Map<string, MemoryFile>()
  readonly #open = new Map<number, { file: MemoryFile; path: string }>()
  readonly counts: Record<DiskStep, number> = {
    list: 0,
    open: 0,
    create: 0,
    read: 0,
    write: 0,
    flush: 0,
    flushFolder: 0,
    link: 0,
    remove: 0,
  }
  before: (step: DiskStep, path: string) => void | Promise<void> = () => {}
  afterRead: (bytes: Uint8Array, position: number, path: string) => void = () => {}
  roomBytes = Number.POSITIVE_INFINITY
  #next = 1

  get openCount(): number {
    return this.#open.size
  }

  contentOf(path: string): Uint8Array {
    return this.#at(path).bytes
  }

  /** Replaces the content in place, as a copy over a file does. */
  overwrite(path: string, bytes: Uint8Array): void {
    const file = this.#at(path)
    file.bytes = bytes.slice()
    file.flushed = bytes.length
  }

  /** Gives a path to another file. */
  replace(path: string, bytes: Uint8Array): void {
    const file = { inode: this.#next++, bytes: bytes.slice(), flushed: bytes.length }
    this.files.set(path, file)
    this.#flushedNames.set(path, file)
  }

  /**
   * Loses power: keeps what was flushed, and of the rest what `keep` says.
   * @param keep - how many of the unflushed bytes at the end of a file stay; and whether an unflushed name stays
   */
  crash(keep: (unflushed: number) => number, isNameKept: () => boolean): void {
    this.#open.clear()
    for (const path of new Set([...this.files.keys(), ...this.#flushedNames.keys()])) {
      const [present, flushed] = [this.files.get(path), this.#flushedNames.get(path)]
      if (present === flushed) continue
      const kept = isNameKept() ? present : flushed
      if (kept === undefined) this.files.delete(path)
      else this.files.set(path, kept)
    }
    this.#flushedNames.clear()
    for (const [path, file] of this.files) {
      const size = file.flushed + keep(file.bytes.length - file.flushed)
      file.bytes = file.bytes.slice(0, size)
      file.flushed = size
      this.#flushedNames.set(path, file)
    }
  }

  list(folder: string): readonly string[] {
    this.#step('list', folder)
    return [...this.files.keys()]
      .filter((path) => dirname(path) === folder)
      .map((path) => path.slice(folder.length + 1))
  }

  makeFolder(): readonly string[] {
    return []
  }

  open(path: string): number {
    this.#step('open', path)
    return this.#describe(path, this.#at(path))
  }

  create(path: string): number {
    this.#step('create', path)
    if (this.files.has(path)) throw failure('EEXIST', path)
    const file = { inode: this.#next++, bytes: new Uint8Array(0), flushed: 0 }
    this.files.set(path, file)
    return this.#describe(path, file)
  }

  close(descriptor: number): void {
    if (!this.#open.delete(descriptor)) throw failure('EBADF', String(descriptor))
  }

  read(descriptor: number, target: Uint8Array, position: number): number {
    const { file, path } = this.#of(descriptor)
    this.#step('read', path)
    const bytes = file.bytes.subarray(position, position + target.length)
    target.set(bytes)
    this.afterRead(target, position, path)
    return bytes.length
  }

  write(descriptor: number, bytes: Uint8Array): number {
    const { file, path } = this.#of(descriptor)
    this.#step('write', path)
    const count = Math.min(bytes.length, this.roomBytes)
    if (count === 0 && bytes.length > 0) throw failure('ENOSPC', path)
    this.roomBytes -= count
    const larger = new Uint8Array(file.bytes.length + count)
    larger.set(file.bytes)
    larger.set(bytes.subarray(0, count), file.bytes.length)
    file.bytes = larger
    return count
  }

  statusOf(descriptor: number): { device: number; inode: number; size: number } {
    const { file } = this.#of(descriptor)
    return { device: 1, inode: file.inode, size: file.bytes.length }
  }

  statusAt(path: string): { device: number; inode: number; size: number } | undefined {
    const file = this.files.get(path)
    return file === undefined ? undefined : { device: 1, inode: file.inode, size: file.bytes.length }
  }

  async flush(descriptor: number): Promise<void> {
    const { file, path } = this.#of(descriptor)
    const size = file.bytes.length
    this.counts.flush += 1
    await this.before('flush', path)
    file.flushed = Math.max(file.flushed, size)
  }

  async flushFolder(folder: string): Promise<void> {
    this.counts.flushFolder += 1
    await this.before('flushFolder', folder)
    for (const path of [...this.#flushedNames.keys()]) if (dirname(path) === folder) this.#flushedNames.delete(path)
    for (const [path, file] of this.files) if (dirname(path) === folder) this.#flushedNames.set(path, file)
  }

  link(from: string, to: string): void {
    this.#step('link', to)
    if (this.files.has(to)) throw failure('EEXIST', to)
    this.files.set(to, this.#at(from))
  }

  remove(path: string): void {
    this.#step('remove', path)
    this.files.delete(path)
  }

  async discard(path: string): Promise<void> {
    this.remove(path)
  }

  release(descriptor: number): void {
    this.close(descriptor)
  }

  #step(step: DiskStep, path: string): void {
    this.counts[step] += 1
    void this.before(step, path)
  }

  #describe(path: string, file: MemoryFile): number {
    const descriptor = this.#next++
    this.#open.set(descriptor, { file, path })
    return descriptor
  }

  #at(path: string): MemoryFile {
    const file = this.files.get(path)
    if (file === undefined) throw failure('ENOENT', path)
    return file
  }

  #of(descriptor: number): { file: MemoryFile; path: string } {
    const found = this.#open.get(descriptor)
    if (found === undefined) throw failure('EBADF', String(descriptor))
    return found
  }
}

export function failure(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code, path })
}

export const journalFolder = join('memory', 'streams')
