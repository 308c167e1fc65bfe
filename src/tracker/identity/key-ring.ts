import {
  type ActorId,
  judgeSignature,
  noTrust,
  type PinnedActor,
  type SignatureTrust,
  type SignatureVerdict,
  type SignedFacts,
} from '../../model/index.ts'
import type { View } from '../../view/index.ts'
import { verifySignature } from '../../wal/index.ts'
import { listActors } from '../local/actors.ts'
import type { Workspace } from '../workspace.ts'

/** Finds what the cards of an actor add up to. */
export type FindPinned = (actor: ActorId) => Promise<PinnedActor | undefined>

/** Judges signatures by the keys that this clone knows: those of its own actors, and those that the log's cards pin. */
export class KeyRing {
  readonly #local: ReadonlyMap<ActorId, string | null>
  readonly #findPinned: FindPinned
  readonly #trust = new Map<ActorId, Promise<SignatureTrust>>()

  /** @param local - actors that have a configuration here, with their key; null for one that does not sign */
  constructor(local: ReadonlyMap<ActorId, string | null>, findPinned: FindPinned) {
    this.#local = local
    this.#findPinned = findPinned
  }

  async judge(event: SignedFacts): Promise<SignatureVerdict> {
    return judgeSignature(event, await this.trustIn(event.actor), verifySignature)
  }

  trustIn(actor: ActorId): Promise<SignatureTrust> {
    let trust = this.#trust.get(actor)
    if (trust === undefined) {
      trust = this.#findTrust(actor)
      this.#trust.set(actor, trust)
    }
    return trust
  }

  /**
   * For an actor of this clone its configuration decides: cards count for it only when they lead to the key that is
   * written there. Nobody can talk a clone out of its own key, or into a key for an actor that has none.
   */
  async #findTrust(actor: ActorId): Promise<SignatureTrust> {
    const local = this.#local.get(actor)
    if (local === null) return noTrust
    const pinned = await this.#findPinned(actor)
    if (local === undefined) return pinned ?? noTrust
    const isPinned = pinned?.keys.some(({ publicKey }) => publicKey === local) ?? false
    return pinned !== undefined && isPinned ? pinned : { keys: [{ publicKey: local, until: null }], signsSince: null }
  }
}

/** The keys known in a repository; cards are looked up in the view. */
export async function openKeyRing(repository: Workspace, view: View): Promise<KeyRing> {
  return new KeyRing(await readLocalKeys(repository), (actor) => view.findActor(actor))
}

/** Keys of the actors of this clone, that of a data directory elsewhere included. */
export async function readLocalKeys(repository: Workspace): Promise<Map<ActorId, string | null>> {
  const current = (await repository.findActor())?.actor
  const actors = [...(await listActors(repository.paths)), ...(current === undefined ? [] : [current])]
  return new Map(actors.map(({ id, publicKey }) => [id, publicKey?.toLowerCase() ?? null]))
}
