/** Whose key has signed a checkpoint, by the keys of the actors in this clone and by the cards in the log. */
import { deriveActorId } from '../../model/index.ts'
import type { Checkpoint } from '../../wal/streams/index.ts'
import { openKeyRing } from '../identity/key-ring.ts'
import type { Workspace } from '../workspace.ts'

/**
 * `actor`: a key that the checkpoint's actor had at that time. `other`: the actor is known to have had others then.
 * `unknown`: nothing here says which keys the actor has.
 */
export type KeyOwner = 'actor' | 'other' | 'unknown'

/** Null for a checkpoint without a signature. */
export async function keyOwnersOf(
  repository: Workspace,
  checkpoints: readonly Checkpoint[],
): Promise<readonly (KeyOwner | null)[]> {
  if (checkpoints.every(({ key }) => key === null)) return checkpoints.map(() => null)
  const ring = await openKeyRing(repository, await repository.view())
  const owners: (KeyOwner | null)[] = []
  for (const { actor, key, tsUnixMs } of checkpoints) {
    if (key === null) owners.push(null)
    else if (actor === null) owners.push('unknown')
    else {
      const { keys } = await ring.trustIn(actor)
      const found = keys.find(({ publicKey }) => publicKey === key)
      const isTimely = found !== undefined && (found.until === null || tsUnixMs <= found.until.tsUnixMs)
      // The id of such an actor is a digest of its first key.
      const isBound = keys.length === 0 && deriveActorId(key) === actor
      owners.push(isTimely || isBound ? 'actor' : keys.length === 0 ? 'unknown' : 'other')
    }
  }
  return owners
}
