import { type GitPort, type Oid, parseCommit } from '../../git/index.ts'
import { CorruptObjectError, limits, ObjectTooLargeError } from '../../model/index.ts'

/** A commit without its content; null when it is missing, damaged or no commit. */
export async function readBareCommit(git: GitPort, oid: Oid) {
  try {
    const object = await git.readObject(oid, limits.chunkReadBytesMax)
    return object?.type === 'commit' ? parseCommit(object.content) : null
  } catch (error) {
    if (error instanceof CorruptObjectError || error instanceof ObjectTooLargeError) return null
    throw error
  }
}
