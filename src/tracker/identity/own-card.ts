/** Tracks whether the log has the card of a local actor, with a note that saves each write the lookup. */
import { labelOnCard, saidSlot } from '../../model/index.ts'
import type { View } from '../../view/index.ts'
import type { Signer } from '../../wal/index.ts'
import type { OwnCardState } from '../draft.ts'
import type { Actor } from '../local/actors.ts'
import { forgetCardNote, newActorNote, readCardNote, writeCardNote } from '../local/card-note.ts'
import type { GritePaths } from '../local/paths.ts'
import { adoptNextKey, readNextSigner, readSigner } from '../local/signing-key.ts'

/** The last known state of a card in the log, from a note beside the view. Only a cache: without it the view is read. */
export class OwnCard {
  readonly #paths: GritePaths
  readonly #actor: Actor

  constructor(paths: GritePaths, actor: Actor) {
    this.#paths = paths
    this.#actor = actor
  }

  /**
   * Looks up the card with the present label and key.
   *
   * @param signer - undefined for an actor without a key
   * @param open - an open view, preferred to the note, which misses the loss of a log
   */
  async find(signer: Signer | undefined, open: View | undefined, openView: () => Promise<View>): Promise<OwnCardState> {
    if (open === undefined) {
      const note = this.#readNote()
      if (note === this.#noteOf(signer)) return 'published'
      if (note === newActorNote) {
        // Delete the note before the append: after a crash, the next write must read the view.
        forgetCardNote(this.#paths, this.#actor.id)
        return 'never'
      }
    }
    const view = open ?? (await openView())
    if (!(await this.#isSaid(signer, view))) return 'outdated'
    await this.note(signer)
    return 'published'
  }

  async #isSaid(signer: Signer | undefined, view: View): Promise<boolean> {
    const { id, label } = this.#actor
    // A card without a key has no effect for an actor that has one in the log.
    if (signer === undefined && ((await view.findActor(id))?.keys.length ?? 0) > 0) return true
    const said = await view.findCard(id, saidSlot(signer?.publicKey ?? null))
    return said !== undefined && said.label === labelOnCard(label)
  }

  /** Notes that the log has the card. */
  async note(signer: Signer | undefined): Promise<void> {
    const note = this.#noteOf(signer)
    if (this.#readNote() === note) return
    await writeCardNote(this.#paths, this.#actor.id, note)
  }

  #noteOf(signer: Signer | undefined): string {
    return `${signer?.publicKey ?? 'no key'} ${JSON.stringify(labelOnCard(this.#actor.label))}\n`
  }

  #readNote(): string | undefined {
    return readCardNote(this.#paths, this.#actor.id)
  }
}

/**
 * The current signer of an actor; undefined for one without a key. Completes a rotation that was interrupted after its
 * card was in the log, since later signatures by the old key are invalid.
 */
export async function openSigner(
  paths: GritePaths,
  actor: Actor,
  openView: () => Promise<View>,
): Promise<Signer | undefined> {
  const next = await readNextSigner(paths, actor)
  if (next === undefined) return readSigner(paths, actor)
  const card = await (await openView()).findCard(actor.id, saidSlot(next.publicKey))
  if (card === undefined) return readSigner(paths, actor)
  await adoptNextKey(paths, actor, next.publicKey)
  return next
}
