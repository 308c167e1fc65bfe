import type { GitPort, RefName } from '../git/index.ts'
import type { RefLockedError } from '../model/index.ts'
import { trackingPrefix, walRef } from './ref-names.ts'

/**
 * Frees a ref that follows a remote's from the lock of a writer of ours that died: our own writer knows such a lock and
 * waits for those of others, while `git fetch` does neither. The fetch that follows puts right what is made up here.
 *
 * @throws {RefLockedError} the one given when the ref follows another remote or nothing at all
 */
export async function freeTrackingRef(git: GitPort, remote: string, error: RefLockedError): Promise<void> {
  const ref = error.ref as RefName
  if (!ref.startsWith(trackingPrefix(remote))) throw error
  const found = await git.readRef(ref)
  const next = found ?? (await git.readRef(walRef))
  if (next === null) throw error
  await git.publish({ objects: [], updates: [{ ref, expected: found, next, reflogMessage: 'grite: unlock' }] })
}
