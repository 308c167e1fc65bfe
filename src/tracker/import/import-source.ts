/**
 * The input of an import, which is read more than once: a file directly, anything else as a copy. If a file grows in the
 * meantime, only its content at the time of opening counts.
 */
import { type FileHandle, open, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type ByteRange, detectionBytes } from '../../import/index.ts'
import { InvalidArgsError, limits, NotFoundError, StorageError } from '../../model/index.ts'
import type { CommandContext } from '../effects.ts'
import { makeFolder } from '../local/write-file-atomically.ts'

export interface ImportSource {
  /** Whether it is the file that was named, and no copy. */
  readonly isFile: boolean
  /** Enough bytes to detect the format. */
  readonly firstBytes: Uint8Array
  /** Reads everything from the start. A piece is only valid until the next one is requested. */
  readonly read: () => AsyncIterable<Uint8Array>
  readonly readRange: (range: ByteRange) => Promise<Uint8Array>
  readonly close: () => Promise<void>
}

const pieceBytes = 256 * 1024

/** A larger stream is kept in a file instead of memory. */
const memoryBytesMax = 8 * 1024 * 1024

/**
 * Opens the given file; `-` is standard input. Copies anything but a regular file, after `accept` has checked its start.
 *
 * @param accept - receives the first bytes; throws when their format cannot be imported
 * @throws {NotFoundError} when it cannot be read
 */
export async function openImportSource(
  context: CommandContext,
  file: string,
  accept: (firstBytes: Uint8Array) => void,
  streamBytesMax: number = limits.importStreamBytesMax,
): Promise<ImportSource> {
  const copy = (chunks: AsyncIterable<Uint8Array>) => copyStream(context, chunks, { accept, bytesMax: streamBytesMax })
  if (file === '-') return copy(context.text.stdinChunks())
  const handle = await openFile(context, file)
  let isKept = false
  try {
    const found = await handle.stat()
    if (!found.isFile()) return await copy(piecesOf(handle))
    const firstBytes = await readAt(handle, { start: 0, end: Math.min(found.size, detectionBytes) })
    accept(firstBytes)
    isKept = true
    return { isFile: true, ...sourceOf(handle, firstBytes, found.size) }
  } catch (error) {
    throw (error as NodeJS.ErrnoException).syscall === undefined ? error : unreadable(file, error)
  } finally {
    if (!isKept) await handle.close()
  }
}

async function openFile({ cwd }: CommandContext, file: string): Promise<FileHandle> {
  try {
    return await open(resolve(cwd, file))
  } catch (error) {
    throw unreadable(file, error)
  }
}

function unreadable(file: string, error: unknown): NotFoundError {
  return new NotFoundError(`cannot read ${file}: ${(error as Error).message}`, {
    details: { field: 'file', value: file },
    cause: error,
  })
}

/** @param end - number of bytes to use */
function sourceOf(handle: FileHandle, firstBytes: Uint8Array, end: number): Omit<ImportSource, 'isFile'> {
  return {
    firstBytes,
    read: () => piecesOf(handle, end),
    readRange: (range) => readAt(handle, range),
    close: () => handle.close(),
  }
}

/** @param end - where to stop; without it, a stream is read to the end */
async function* piecesOf(handle: FileHandle, end?: number): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.allocUnsafe(pieceBytes)
  let position = 0
  while (end === undefined || position < end) {
    const length = Math.min(buffer.length, (end ?? Number.POSITIVE_INFINITY) - position)
    const { bytesRead } = await handle.read(buffer, 0, length, end === undefined ? null : position)
    if (bytesRead === 0) return
    position += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}

/** Returns fewer bytes if the file has been truncated. */
async function readAt(handle: FileHandle, { start, end }: ByteRange): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafe(end - start)
  let filled = 0
  while (filled < bytes.length) {
    const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, start + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return bytes.subarray(0, filled)
}

/** Reads a stream to the end: a small one into memory, a large one into an unlinked file. */
async function copyStream(
  context: CommandContext,
  chunks: AsyncIterable<Uint8Array>,
  { accept, bytesMax }: { readonly accept: (firstBytes: Uint8Array) => void; readonly bytesMax: number },
): Promise<ImportSource> {
  let parts: Uint8Array[] = []
  let length = 0
  let isAccepted = false
  let handle: FileHandle | undefined
  const acceptNow = () => {
    if (!isAccepted) accept(Buffer.concat(parts).subarray(0, detectionBytes))
    isAccepted = true
  }
  try {
    for await (const chunk of chunks) {
      // The buffer of the chunk may be reused.
      const copy = Uint8Array.prototype.slice.call(chunk)
      length += copy.length
      if (length > bytesMax) throw tooLong(bytesMax)
      parts.push(copy)
      if (length >= detectionBytes) acceptNow()
      if (handle === undefined && length <= memoryBytesMax) continue
      handle ??= await openSpool(context)
      for (const part of parts) await writeAll(handle, part)
      parts = []
    }
    acceptNow()
    if (handle !== undefined) {
      return { isFile: false, ...sourceOf(handle, await readAt(handle, { start: 0, end: detectionBytes }), length) }
    }
    const bytes = Buffer.concat(parts)
    return {
      isFile: false,
      firstBytes: bytes.subarray(0, detectionBytes),
      async *read() {
        yield bytes
      },
      readRange: async ({ start, end }) => bytes.subarray(start, end),
      close: async () => {},
    }
  } catch (error) {
    await handle?.close()
    throw error
  }
}

function tooLong(bytesMax: number): InvalidArgsError {
  return new InvalidArgsError(`cannot import a stream of more than ${bytesMax} bytes; import it as a file`, {
    details: { field: 'file', bytes_max: bytesMax },
  })
}

/** A temp file beside the view, on the disk that the import fills anyway. It is always removed on close. */
async function openSpool(context: CommandContext): Promise<FileHandle> {
  const { paths } = await context.repository()
  await makeFolder(paths.home, paths.permissions)
  const name = Buffer.from(context.random.bytes(8)).toString('hex')
  const path = join(paths.home, `import.${name}.tmp`)
  try {
    const handle = await open(path, 'wx+', 0o600)
    await rm(path)
    return handle
  } catch (error) {
    throw new StorageError(`cannot buffer the input in ${path}: ${(error as Error).message}`, {
      details: { path },
      cause: error,
    })
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  try {
    for (let written = 0; written < bytes.length; ) {
      written += (await handle.write(bytes, written, bytes.length - written)).bytesWritten
    }
  } catch (error) {
    throw new StorageError(`cannot buffer the input of the import: ${(error as Error).message}`, { cause: error })
  }
}
