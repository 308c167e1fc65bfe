import type { GitPort, Oid, RefName } from '../git/index.ts'
import { GriteError } from '../model/index.ts'

/**
 * Keeps what a push made of a remote's ref. Another sync that was faster knows more, and what a full disk keeps from being
 * noted the next fetch finds: the remote has it, so the push did not fail.
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
