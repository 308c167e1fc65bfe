import { type FileHandle, open } from 'node:fs/promises'
import { resolve } from 'node:path'
import { InvalidArgsError, NotFoundError } from '../../model/index.ts'
import type { CommandContext } from '../effects.ts'

export interface InputFile {
  /** The option with the file. */
  readonly field: string
  /** As the user typed it. */
  readonly file: string
  readonly bytesMax: number
}

/** Bytes per read when the size is unknown. */
const pieceBytes = 64 * 1024

/**
 * Reads an input file, but never more than the limit: a pipe or a device may be endless.
 * @throws {NotFoundError} when it cannot be read
 * @throws {InvalidArgsError} when it has more than `bytesMax` bytes
 */
export async function readInputFile({ cwd }: Pick<CommandContext, 'cwd'>, input: InputFile): Promise<Buffer> {
  try {
    const handle = await open(resolve(cwd, input.file))
    try {
      return await readWithin(handle, input)
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (error instanceof InvalidArgsError) throw error
    throw new NotFoundError(`${nameOf(input)}: ${(error as Error).message}`, {
      details: { field: input.field, value: input.file },
      cause: error,
    })
  }
}

async function readWithin(handle: FileHandle, input: InputFile): Promise<Buffer> {
  const found = await handle.stat()
  if (found.isFile() && found.size > input.bytesMax) throw tooLarge(input, found.size)
  const parts: Buffer[] = []
  let total = 0
  while (true) {
    const room = found.isFile() && total === 0 ? found.size + 1 : pieceBytes
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(room), 0, room, null)
    if (bytesRead === 0) return Buffer.concat(parts, total)
    total += bytesRead
    if (total > input.bytesMax) throw tooLarge(input)
    parts.push(buffer.subarray(0, bytesRead))
  }
}

function nameOf({ field, file }: InputFile): string {
  return `--${field} ${file}`
}

/** @param bytes - size; undefined when the file was not read to the end */
function tooLarge(input: InputFile, bytes?: number): InvalidArgsError {
  const size = bytes === undefined ? `more than ${input.bytesMax} bytes` : `${bytes} bytes`
  return new InvalidArgsError(`${nameOf(input)} has ${size}; at most ${input.bytesMax} are allowed`, {
    details: { field: input.field, value: input.file, bytes, bytes_max: input.bytesMax },
  })
}

/** Like `readInputFile`, for text. @throws {InvalidArgsError} when it is not UTF-8 */
export async function readInputText(context: Pick<CommandContext, 'cwd'>, input: InputFile): Promise<string> {
  const bytes = await readInputFile(context, input)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new InvalidArgsError(`${nameOf(input)} is not UTF-8 text`, {
      details: { field: input.field, value: input.file },
    })
  }
}
