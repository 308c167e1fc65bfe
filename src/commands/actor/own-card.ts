/** Whether the log holds the card of an actor of this clone, and where that is noted so that a write need not look. */
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { labelOnCard, saidSlot } from '../../model/index.ts'
import type { View } from '../../view/index.ts'
import type { Signer } from '../../wal/index.ts'
import type { Actor } from '../local/actors.ts'
import type { GritePaths } from '../local/paths.ts'
import { adoptNextKey, readNextSigner, readSigner } from '../local/signing-key.ts'
import { makeFolder } from '../local/write-file-atomically.ts'

/** What the log last held of a card, by a note beside the view. Only a cache: without it the view is asked. */
export class OwnCard {
  readonly #paths: GritePaths
  readonly #actor: Actor

  constructor(paths: GritePaths, actor: Actor) {
    this.#paths = paths
    this.#actor = actor
  }

  /**
   * Whether the log says the present label and key.
   *
   * @param open - a view that is open anyway tells better than the note, which does not know of a log that was lost
   */
  async isPublished(signer: Signer, open: View | undefined, openView: () => Promise<View>): Promise<boolean> {
    if (open === undefined && this.#readNote() === this.#noteOf(signer)) return true
    const said = await (open ?? (await openView())).findCard(this.#actor.id, saidSlot(signer.publicKey))
    const isSaid = said !== undefined && said.label === labelOnCard(this.#actor.label)
    if (isSaid) await this.note(signer)
    return isSaid
  }

  /** Notes that the log has the card. */
  async note(signer: Signer): Promise<void> {
    const note = this.#noteOf(signer)
    if (this.#readNote() === note) return
    const file = this.#paths.ownCard(this.#actor.id)
    try {
      await makeFolder(dirname(file), this.#paths.permissions)
      await writeFile(file, note)
      this.#paths.permissions.adjust(file)
    } catch {
      // The next write looks into the view again.
    }
  }

  #noteOf({ publicKey }: Signer): string {
    return `${publicKey} ${JSON.stringify(labelOnCard(this.#actor.label))}\n`
  }

  #readNote(): string | undefined {
    try {
      return readFileSync(this.#paths.ownCard(this.#actor.id), 'utf8')
    } catch {
      return undefined
    }
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
