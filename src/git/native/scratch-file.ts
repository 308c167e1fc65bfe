import { existsSync, openSync, readSync, unlinkSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { temporaryName } from '../durable/temporary-name.ts'
import type { PortContext } from '../port-context.ts'
import { refTemporaryDir } from '../ref-paths.ts'
import { shareDisk } from '../shared-permissions.ts'

/** More than a million commits; the disk may have little room. Bytes. */
export const scratchBytesMax = 1024 ** 3

/** Opens a file without a name, which is gone when it is closed. Null where we have no folder, or may not write. */
export async function openScratchFile(context: PortContext): Promise<number | null> {
  const folder = refTemporaryDir(context.layout)
  if (!existsSync(dirname(folder))) return null
  try {
    shareDisk(context.disk, await context.permissions()).makeDirectory(folder)
    const path = temporaryName(folder, context.owner)
    const descriptor = openSync(path, 'wx+', 0o600)
    unlinkSync(path)
    return descriptor
  } catch {
    return null
  }
}

/** Large pieces, because each is a piece of work for the event loop. Bytes. */
const pieceBytes = 256 * 1024
/** Free room before each piece, in its buffer: the rest of the piece before it fits there, so nothing is copied. Bytes. */
export const roomBytes = 8 * 1024
/** How soon to look again when the writer is slower. Milliseconds. */
const pollMs = 2

/** A file that another process writes while it is read. */
export class GrowingFile {
  readonly #descriptor: number
  #isWaiting = false

  constructor(descriptor: number) {
    this.#descriptor = descriptor
  }

  /** Whether everything written so far has been read. */
  get isWaiting(): boolean {
    return this.#isWaiting
  }

  /** Each piece has a buffer of its own, with `roomBytes` of free room before it. @param ended - settles when the writer is gone */
  async *read(ended: Promise<unknown>): AsyncGenerator<Buffer> {
    let hasEnded = false
    const end = ended.then(() => {
      hasEnded = true
    })
    let bytes = Buffer.allocUnsafeSlow(roomBytes + pieceBytes)
    for (let position = 0; ; ) {
      const isComplete = hasEnded
      const count = readSync(this.#descriptor, bytes, roomBytes, pieceBytes, position)
      if (count > 0) {
        yield bytes.subarray(roomBytes, roomBytes + count)
        bytes = Buffer.allocUnsafeSlow(roomBytes + pieceBytes)
        position += count
        continue
      }
      if (isComplete) return
      this.#isWaiting = true
      await Promise.race([end, setTimeout(pollMs)])
      this.#isWaiting = false
    }
  }
}
