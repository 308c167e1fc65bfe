import { promises } from 'node:fs'
import { CorruptObjectError, ObjectTooLargeError } from '../../model/errors/index.ts'
import { hashObject } from '../object-codec.ts'
import type { GitObject, ObjectType, Oid, RepositoryLayout } from '../port.ts'
import { tooLargeError } from '../too-large-error.ts'

/** Reads packed objects with isomorphic-git, which is loaded on first use (8 ms bundled). */
export interface PackedObjectReader {
  /** Like `GitPort.readObject`, but loads the pack before the size of the object is known. */
  read(oid: Oid, bytesMax: number): Promise<GitObject | null>
  close(): void
}

/** isomorphic-git gets a read-only file system. */
const readOnlyFiles = {
  promises: {
    readFile: promises.readFile,
    readdir: promises.readdir,
    stat: promises.stat,
    lstat: promises.lstat,
    readlink: promises.readlink,
    writeFile: refuse,
    unlink: refuse,
    mkdir: refuse,
    rmdir: refuse,
    symlink: refuse,
  },
}

async function refuse(): Promise<never> {
  throw new TypeError('reading packs never writes')
}

export function createPackedObjectReader(layout: RepositoryLayout): PackedObjectReader {
  /** isomorphic-git keeps whole packs and their indexes here. */
  let cache = {}

  return {
    async read(oid, bytesMax) {
      const { readObject, Errors } = await import('isomorphic-git')
      try {
        const found = await readObject({ fs: readOnlyFiles, gitdir: layout.commonDir, oid, format: 'content', cache })
        return checked(layout, oid, found.type as ObjectType, found.object as Uint8Array, bytesMax)
      } catch (error) {
        if (error instanceof Errors.NotFoundError) return null
        if (error instanceof CorruptObjectError || error instanceof ObjectTooLargeError) throw error
        // Its failures on damaged packs have many types, plain RangeError among them.
        throw new CorruptObjectError(`object ${oid} cannot be read from its pack`, { cause: error, details: { oid } })
      }
    },
    close() {
      cache = {}
    },
  }
}

function checked(layout: RepositoryLayout, oid: Oid, type: ObjectType, bytes: Uint8Array, bytesMax: number): GitObject {
  if (bytes.byteLength > bytesMax) {
    throw tooLargeError({ oid, type, size: bytes.byteLength, limit: bytesMax })
  }
  const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (hashObject(layout.objectFormat, type, content) !== oid) {
    throw new CorruptObjectError(`object ${oid}: stored bytes do not match the id`, { details: { oid } })
  }
  return { oid, type, content }
}
