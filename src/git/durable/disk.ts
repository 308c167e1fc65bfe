import {
  appendFileSync,
  close,
  closeSync,
  fdatasync,
  fsync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { errnoOf } from './storage-failure.ts'

/** A file kept open until it is flushed. */
export interface OpenFile {
  readonly path: string
  readonly descriptor: number
}

/**
 * All disk changes of a publish, so that a test can count flushes and make any step fail. Small synchronous calls cost
 * 5 us, their asynchronous twins 60; only flushes, which wait for the disk, are asynchronous and run in parallel.
 */
export interface Disk {
  /** Creates a complete, unflushed file; it must not exist. */
  createFile(path: string, parts: readonly Uint8Array[], mode: number): OpenFile
  openFile(path: string): OpenFile
  /** One wave: flushes contents in parallel. Files stay open. */
  flushFiles(files: readonly OpenFile[]): Promise<void>
  /** One wave: flushes directories in parallel; skips vanished ones. */
  flushDirectories(paths: readonly string[]): Promise<void>
  closeFile(file: OpenFile): void
  /** Makes a directory with its parents. Returns the directories that gained an entry; empty when it existed. */
  makeDirectory(path: string): readonly string[]
  link(from: string, to: string): void
  rename(from: string, to: string): void
  /** Ignores a missing file. */
  remove(path: string): void
  /** Sets the file's times to now. */
  freshen(path: string): void
  append(path: string, text: string): void
  truncate(path: string, size: number): void
}

export const nodeDisk: Disk = {
  createFile(path, parts, mode) {
    const descriptor = openSync(path, 'wx', mode)
    try {
      for (const part of parts) writeWhole(descriptor, part)
    } catch (error) {
      closeSync(descriptor)
      nodeDisk.remove(path)
      throw error
    }
    return { path, descriptor }
  },
  openFile: (path) => ({ path, descriptor: openSync(path, 'r') }),
  async flushFiles(files) {
    await settleAll(files.map((file) => flush(fdatasync, file.descriptor)))
  },
  async flushDirectories(paths) {
    await settleAll(paths.map(flushDirectory))
  },
  closeFile: ({ descriptor }) => close(descriptor, () => {}),
  makeDirectory(path) {
    const first = mkdirSync(path, { recursive: true })
    const gained: string[] = []
    for (let made = path; first !== undefined && made.length >= first.length; made = dirname(made))
      gained.push(dirname(made))
    return gained
  },
  link: linkSync,
  rename: renameSync,
  remove(path) {
    try {
      unlinkSync(path)
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error
    }
  },
  freshen(path) {
    const now = new Date()
    utimesSync(path, now, now)
  },
  append: (path, text) => appendFileSync(path, text, { mode: 0o666 }),
  truncate: truncateSync,
}

function writeWhole(descriptor: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.byteLength; ) {
    written += writeSync(descriptor, bytes, written, bytes.byteLength - written)
  }
}

function flush(how: typeof fsync, descriptor: number): Promise<void> {
  return new Promise((resolve, reject) => how(descriptor, (error) => (error ? reject(error) : resolve())))
}

async function flushDirectory(path: string): Promise<void> {
  let descriptor: number
  try {
    descriptor = openSync(path, 'r')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return
    throw error
  }
  try {
    await flush(fsync, descriptor)
  } finally {
    close(descriptor, () => {})
  }
}

// Waits for all, so that no flush is running when a failure is reported and files are closed.
async function settleAll(flushes: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(flushes)
  const failed = results.find((result) => result.status === 'rejected')
  if (failed) throw failed.reason
}
