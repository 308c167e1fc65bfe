/** Failures after a lock was acquired: the lock is held, and the command must report that. */
import { GriteError } from '../../model/index.ts'
import type { Workspace } from '../workspace.ts'
import type { SeenLock } from './known-locks.ts'

/** Reads the locks again after acquiring one. On failure, such as a lost network, warns and returns undefined. */
export async function recheckLocks(
  { facts }: Workspace,
  resource: string,
  look: () => Promise<readonly SeenLock[]>,
): Promise<readonly SeenLock[] | undefined> {
  try {
    return await look()
  } catch (error) {
    if (!(error instanceof GriteError)) throw error
    const unseen = 'could not check whether somebody acquired an overlapping lock at the same time'
    const message = `acquired ${resource}, but ${unseen}: ${error.message}`
    facts.warn({ code: 'not-looked-again', message, details: { resource } })
    return undefined
  }
}

/** Releases the lock that was just acquired. On failure, warns and returns false. */
export async function releaseOrWarn(
  repository: Workspace,
  resource: string,
  giveBack: () => Promise<unknown>,
): Promise<boolean> {
  try {
    await giveBack()
    return true
  } catch (error) {
    if (!(error instanceof GriteError)) throw error
    tellNotMoved(repository, resource, error)
    return false
  }
}

export function tellNotMoved({ facts }: Workspace, resource: string, error: unknown): void {
  const message = `could not release the lock on ${resource}; it stays until it expires: ${(error as Error).message}`
  facts.warn({ code: 'lock-not-moved', message, details: { resource } })
}
