import {
  close,
  closeSync,
  constants,
  fdatasync,
  fstatSync,
  fsync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  statSync,
  unlink,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { StorageError } from '../../../model/errors/index.ts'

/** Which file a path or descriptor names, and its size. */
export interface FileStatus {
  readonly device: number
  readonly inode: number
  readonly size: number
}

/**
 * What journals need of a disk, so that a test can make any step fail. All calls throw errors with an errno code. Only
 * what waits for the disk is asynchronous: flushes, and giving back the space of a sealed file.
 */
export interface JournalDisk {
  /** File names in a folder; none for a missing folder. */
  list(folder: string): readonly string[]
  /** Makes a folder with its parents. @returns the folders that gained an entry */
  makeFolder(folder: string): readonly string[]
  /** @returns a descriptor */
  open(path: string, how: 'read' | 'append'): number
  /** Creates a file that does not exist. @returns a descriptor that appends */
  create(path: string): number
  close(descriptor: number): void
  /** Reads at a byte position. @returns the bytes read; fewer at the end of the file */
  read(descriptor: number, target: Uint8Array, position: number): number
  /** Appends with one write. @returns the bytes written; fewer on a full disk */
  write(descriptor: number, bytes: Uint8Array): number
  statusOf(descriptor: number): FileStatus
  /** Undefined for a missing file. */
  statusAt(path: string): FileStatus | undefined
  flush(descriptor: number): Promise<void>
  flushFolder(folder: string): Promise<void>
  link(from: string, to: string): void
  /** Does nothing for a missing file: another process may have been faster. */
  remove(path: string): void
  /** Removes a large file beside other work, unless another process has done it. */
  discard(path: string): Promise<void>
  /** Closes the descriptor of a large file beside other work, which gives back its space. */
  release(descriptor: number): void
}

export const nodeJournalDisk: JournalDisk = {
  list(folder) {
    try {
      return readdirSync(folder)
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return []
      throw error
    }
  },
  makeFolder(folder) {
    const first = mkdirSync(folder, { recursive: true })
    const gained: string[] = []
    for (let made = folder; first !== undefined && made.length >= first.length; made = dirname(made))
      gained.push(dirname(made))
    return gained
  },
  // Never creates: a file that was sealed and removed must not come back empty.
  open: (path, how) => openSync(path, how === 'read' ? constants.O_RDONLY : constants.O_RDWR | constants.O_APPEND),
  create: (path) => openSync(path, 'ax+', 0o666),
  close: closeSync,
  read: (descriptor, target, position) => readSync(descriptor, target, 0, target.length, position),
  write: (descriptor, bytes) => writeSync(descriptor, bytes, 0, bytes.length),
  statusOf: (descriptor) => statusFrom(fstatSync(descriptor)),
  statusAt(path) {
    const status = statSync(path, { throwIfNoEntry: false })
    return status === undefined ? undefined : statusFrom(status)
  },
  flush: (descriptor) =>
    new Promise((resolve, reject) => fdatasync(descriptor, (error) => (error ? reject(error) : resolve()))),
  async flushFolder(folder) {
    const descriptor = openSync(folder, 'r')
    try {
      await new Promise<void>((resolve, reject) => fsync(descriptor, (error) => (error ? reject(error) : resolve())))
    } finally {
      closeSync(descriptor)
    }
  },
  link: linkSync,
  remove(path) {
    try {
      unlinkSync(path)
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error
    }
  },
  discard: (path) =>
    new Promise((resolve, reject) =>
      unlink(path, (error) => (error === null || error.code === 'ENOENT' ? resolve() : reject(error))),
    ),
  // Nothing is written through it any more, so nothing can be lost.
  release: (descriptor) => close(descriptor, () => {}),
}

function statusFrom({ dev, ino, size }: { dev: number; ino: number; size: number }): FileStatus {
  return { device: dev, inode: ino, size }
}

/** The errno name of a failed file operation; undefined for other errors. */
export function errnoOf(error: unknown): string | undefined {
  const code = (error as NodeJS.ErrnoException | null)?.code
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined
}

/**
 * The failure of a journal, with what became of the records.
 *
 * @param written - `nothing`: no record of the append counts, now or later. `maybe`: readers may find them.
 */
export function journalFailure(
  doing: string,
  path: string,
  cause: unknown,
  written: 'nothing' | 'maybe',
): StorageError {
  const outcome =
    written === 'nothing'
      ? 'nothing of it was written'
      : 'it may have been written: read the end of the stream before you repeat it'
  const reason = (cause as Error).message
  return new StorageError(`${doing}: ${reason}; ${outcome}`, {
    cause,
    details: { path, errno: errnoOf(cause) ?? null, written },
  })
}
