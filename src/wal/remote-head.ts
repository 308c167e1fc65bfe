import type { GitPort, Oid, RefName } from '../git/index.ts'
import { GriteError } from '../model/index.ts'

/**
 * Records a remote ref after a push. Ignores a lost race, because a faster sync knows more, and a full disk, because
 * the next fetch finds it: the push itself succeeded.
 */
export async function noteRemoteHead(
  git: GitPort,
  tracking: RefName,
  expected: Oid | null,
  next: Oid | null,
): Promise<void> {
  if (expected === next) return
  try {
    await git.publish({ objects: [], updates: [{ ref: tracking, expected, next, reflogMessage: 'grite: pushed' }] })
  } catch (error) {
    if (!(error instanceof GriteError) || !['conflict', 'io_error'].includes(error.code)) throw error
  }
}
