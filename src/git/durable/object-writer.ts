import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { constants, deflateSync } from 'node:zlib'
import { readLooseObject } from '../in-process/loose-objects.ts'
import { encodeObjectHeader } from '../object-codec.ts'
import type { Oid, PendingObject, RepositoryLayout } from '../port.ts'
import { randomBytes } from '../random-bytes.ts'
import { looseObjectPath } from '../ref-paths.ts'
import type { Retry } from '../retry.ts'
import { storedBytesMax, storeZlib } from '../stored-zlib.ts'
import type { Disk, OpenFile } from './disk.ts'
import { removeOrWarn, type WarnOfFile } from './file-warning.ts'
import { createPackLookup } from './pack-index.ts'
import { errnoOf, objectsVanished, retryVanishing } from './storage-failure.ts'

/** Loose objects being written: temp files to flush, then to rename, then directories to flush. */
export interface StagedObjects {
  /** New temp files, and existing objects whose writer may not have flushed them. */
  readonly files: readonly OpenFile[]
  /**
   * Renames the temp files into place. Rewrites objects that `git prune` removed meanwhile.
   * @returns the directories to flush: those that gained an entry, or may have
   * @throws {StorageError} when objects vanish again and again
   */
  place(flushes: boolean): Promise<readonly string[]>
  /** Closes files and removes temp files that were not renamed. */
  discard(): void
}

interface ObjectWriter {
  readonly disk: Disk
  readonly layout: RepositoryLayout
  readonly warn: WarnOfFile
}

/**
 * Stages objects under `objects/`. Existing objects are freshened instead, so that a concurrent `git gc` keeps them.
 */
export function stageObjects({ disk, layout, warn }: ObjectWriter, objects: readonly PendingObject[]): StagedObjects {
  const files: OpenFile[] = []
  const unplaced = new Map<PendingObject, string>()
  const gained = new Set<string>()
  const findPack = createPackLookup(layout)

  function discard(): void {
    for (const file of files) disk.closeFile(file)
    files.length = 0
    for (const path of unplaced.values()) removeOrWarn(disk.remove, path, warn)
    unplaced.clear()
  }

  function stage(object: PendingObject): OpenFile {
    const file = writeTemporary(disk, layout, object, gained)
    unplaced.set(object, file.path)
    files.push(file)
    return file
  }

  try {
    for (const object of uniqueById(objects).values()) {
      const existing = freshenExisting(disk, layout, object.oid, findPack)
      if (existing === 'packed') continue
      if (existing) {
        files.push(existing)
        gained.add(dirname(existing.path))
      } else stage(object)
    }
  } catch (error) {
    discard()
    throw error
  }

  async function place(flushes: boolean): Promise<readonly string[]> {
    for (let retry: Retry | undefined; ; ) {
      const lost = placeAll()
      if (lost.length === 0) return [...gained]
      retry ??= retryVanishing()
      if (!(await retry.again())) throw objectsVanished(lost.map(({ oid }) => oid))
      const again = lost.map(stage)
      if (flushes) await disk.flushFiles(again)
    }
  }

  /** @returns objects whose temp file is gone */
  function placeAll(): readonly PendingObject[] {
    const lost: PendingObject[] = []
    for (const [object, temporary] of unplaced) {
      const path = looseObjectPath(layout, object.oid)
      try {
        disk.rename(temporary, path)
        gained.add(dirname(path))
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT') throw error
        lost.push(object)
      }
      unplaced.delete(object)
    }
    return lost
  }

  return { files, place, discard }
}

/** Objects that are no longer in the repository, loose or packed. */
export function findVanished(layout: RepositoryLayout, objects: readonly PendingObject[]): readonly PendingObject[] {
  const findPack = createPackLookup(layout)
  return objects.filter(({ oid }) => !existsSync(looseObjectPath(layout, oid)) && findPack(oid) === null)
}

function uniqueById(objects: readonly PendingObject[]): ReadonlyMap<Oid, PendingObject> {
  return new Map(objects.map((object) => [object.oid, object]))
}

// Rewrites a loose file that does not contain its object; a crash of a writer without flushes leaves empty files.
function freshenExisting(
  disk: Disk,
  layout: RepositoryLayout,
  oid: Oid,
  findPack: (oid: Oid) => string | null,
): OpenFile | 'packed' | null {
  const loose = looseObjectPath(layout, oid)
  try {
    if (existsSync(loose)) {
      disk.freshen(loose)
      return isWhole(layout, oid) ? disk.openFile(loose) : null
    }
    const pack = findPack(oid)
    if (pack === null) return null
    disk.freshen(pack)
    return 'packed'
  } catch (error) {
    // Another user's file cannot be freshened, and gc may have removed it meanwhile: write our own copy.
    if (['ENOENT', 'EPERM', 'EACCES', 'EROFS'].includes(errnoOf(error) ?? '')) return null
    throw error
  }
}

function isWhole(layout: RepositoryLayout, oid: Oid): boolean {
  try {
    return readLooseObject(layout, oid, Number.MAX_SAFE_INTEGER) !== null
  } catch {
    return false
  }
}

/** gc may remove an empty object directory at any moment, so creating and using it may need a retry. */
const directoryTries = 5

const largeBytes = 64 * 1024

/** The content of an object's loose file. */
export function deflateObject({ type, content, isStored = false }: PendingObject): Buffer {
  return deflate(Buffer.concat([encodeObjectHeader(type, content.byteLength), content]), isStored)
}

/**
 * At the level that git uses for loose objects (core.looseCompression): it deflates them again when it packs them. A large object is
 * deflated into one worst-case buffer: many small buffers would be copied into another.
 */
function deflate(bytes: Buffer, isStored: boolean): Buffer {
  if (bytes.length <= storedBytesMax) return storeZlib(bytes)
  const level = isStored ? constants.Z_NO_COMPRESSION : constants.Z_BEST_SPEED
  if (bytes.length < largeBytes) return deflateSync(bytes, { level })
  return deflateSync(bytes, { level, chunkSize: bytes.length + (bytes.length >> 10) + 1024 })
}

function writeTemporary(disk: Disk, layout: RepositoryLayout, object: PendingObject, gained: Set<string>): OpenFile {
  const folder = dirname(looseObjectPath(layout, object.oid))
  const bytes = object.deflated ?? deflateObject(object)
  // `git prune` treats a file with this name as an abandoned object after two weeks.
  const path = `${folder}/tmp_obj_${randomBytes(6).toString('hex')}`
  for (let turn = 1; ; turn++) {
    if (!existsSync(folder)) for (const parent of disk.makeDirectory(folder)) gained.add(parent)
    try {
      return disk.createFile(path, [bytes], 0o444)
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' || turn === directoryTries) throw error
    }
  }
}
