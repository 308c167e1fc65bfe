/** Whether the log holds the card of an actor of this clone, and where that is noted so that a write need not look. */
import { labelOnCard, saidSlot } from '../../model/index.ts'
import type { View } from '../../view/index.ts'
import type { Signer } from '../../wal/index.ts'
import type { OwnCardState } from '../draft.ts'
import type { Actor } from '../local/actors.ts'
import { forgetCardNote, newActorNote, readCardNote, writeCardNote } from '../local/card-note.ts'
import type { GritePaths } from '../local/paths.ts'
import { adoptNextKey, readNextSigner, readSigner } from '../local/signing-key.ts'

/** What the log last held of a card, by a note beside the view. Only a cache: without it the view is asked. */
export class OwnCard {
  readonly #paths: GritePaths
  readonly #actor: Actor

  constructor(paths: GritePaths, actor: Actor) {
    this.#paths = paths
    this.#actor = actor
  }

  /**
   * What the log says of the present label and key.
   *
   * @param signer - undefined for an actor that does not sign
   * @param open - a view that is open anyway tells better than the note, which does not know of a log that was lost
   */
  async find(signer: Signer | undefined, open: View | undefined, openView: () => Promise<View>): Promise<OwnCardState> {
    if (open === undefined) {
      const note = this.#readNote()
      if (note === this.#noteOf(signer)) return 'published'
      if (note === newActorNote) {
        // Killed after the append, the next write must ask the view.
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
    // A card without a key says nothing of an actor that has one in the log.
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
 * What an actor signs with now; undefined for one without a key. A rotation that was interrupted after its card had come
 * into the log is brought to its end first, since what the old key signs later is not valid.
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
