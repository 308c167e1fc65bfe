/** What may go wrong once a lock has been taken: it is held then, and its command must say so. */
import { GriteError } from '../../model/index.ts'
import type { Workspace } from '../workspace.ts'
import type { LockInSight } from './known-locks.ts'

/** Looks around after taking a lock. Undefined, and told, when nothing can be seen any more, as where the network is gone. */
export async function lookAgain(
  { facts }: Workspace,
  resource: string,
  look: () => Promise<readonly LockInSight[]>,
): Promise<readonly LockInSight[] | undefined> {
  try {
    return await look()
  } catch (error) {
    if (!(error instanceof GriteError)) throw error
    const unseen = 'whether somebody took what overlaps it at the same time could not be seen'
    const message = `${resource} is yours, but ${unseen}: ${error.message}`
    facts.warn({ code: 'not-looked-again', message, details: { resource } })
    return undefined
  }
}

/** Gives back what was just taken. False, and told, when that fails. */
export async function giveBackOrTell(
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
  const message = `the lock on ${resource} stays as it is until its time is over: ${(error as Error).message}`
  facts.warn({ code: 'lock-not-moved', message, details: { resource } })
}
