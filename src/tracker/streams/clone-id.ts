/** The id of this clone, by which it owns record streams (docs/format.md#record-streams). */
import { link, open, readFile, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { randomBytes, type SharedPermissions } from '../../git/index.ts'
import { describeForeign, StorageError } from '../../model/index.ts'
import { type CloneId, isCloneId } from '../../model/streams/index.ts'
import { flushFolder, makeFolder } from '../local/write-file-atomically.ts'

const idBytes = 16

/**
 * Reads the id, or makes it. Of two processes that make it at once, one makes it for both.
 *
 * @throws {StorageError} when the file holds something else: a new id would take streams from this clone
 */
export async function readOrMakeCloneId(path: string, permissions: SharedPermissions): Promise<CloneId> {
  return (await readCloneId(path)) ?? (await makeCloneId(path, permissions))
}

/** Null when this clone has none yet. */
export async function readCloneId(path: string): Promise<CloneId | null> {
  let text: string
  try {
    text = (await readFile(path, 'utf8')).trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new StorageError(`cannot read ${path}: ${(error as Error).message}`, { details: { path }, cause: error })
  }
  if (isCloneId(text)) return text
  throw new StorageError(
    `${path} must hold the 32 hexadecimal digits of this clone's id, got ${describeForeign(text)}`,
    {
      details: { path },
      hints: [
        'Restore the file from a backup; after deleting it, take over the streams of this clone to append to them',
      ],
    },
  )
}

async function makeCloneId(path: string, permissions: SharedPermissions): Promise<CloneId> {
  await makeFolder(dirname(path), permissions)
  const draft = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    const file = await open(draft, 'wx', 0o666)
    try {
      await file.writeFile(`${randomBytes(idBytes).toString('hex')}\n`)
      await file.datasync()
    } finally {
      await file.close()
    }
    permissions.adjust(draft)
    await link(draft, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
    await flushFolder(dirname(path))
  } catch (error) {
    if (error instanceof StorageError) throw error
    throw new StorageError(`cannot write ${path}: ${(error as Error).message}`, { details: { path }, cause: error })
  } finally {
    await rm(draft, { force: true }).catch(() => {})
  }
  const made = await readCloneId(path)
  if (made === null) throw new StorageError(`${path} vanished`, { details: { path } })
  return made
}
