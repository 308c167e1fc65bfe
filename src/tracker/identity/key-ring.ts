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

/** Finds the label and keys that result from the cards of an actor. */
export type FindPinned = (actor: ActorId) => Promise<PinnedActor | undefined>

/** Verifies signatures with the keys of local actors and the keys pinned by cards in the log. */
export class KeyRing {
  readonly #local: ReadonlyMap<ActorId, string | null>
  readonly #findPinned: FindPinned
  readonly #trust = new Map<ActorId, Promise<SignatureTrust>>()

  /** @param local - actors configured in this clone, with their key; null for an actor without one */
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
   * For an actor of this clone, the local configuration wins: its cards count only if they lead to the configured key.
   * So nobody can replace the key of a local actor, or add one to a local actor without a key.
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

/** Opens the key ring of a repository; cards are looked up in the view. */
export async function openKeyRing(repository: Workspace, view: View): Promise<KeyRing> {
  return new KeyRing(await readLocalKeys(repository), (actor) => view.findActor(actor))
}

/** Keys of the actors of this clone, including one from an external data directory. */
export async function readLocalKeys(repository: Workspace): Promise<Map<ActorId, string | null>> {
  const current = (await repository.findActor())?.actor
  const actors = [...(await listActors(repository.paths)), ...(current === undefined ? [] : [current])]
  return new Map(actors.map(({ id, publicKey }) => [id, publicKey?.toLowerCase() ?? null]))
}
