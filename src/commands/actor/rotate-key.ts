import { rotationDigest } from '../../model/index.ts'
import { OwnCard, openSigner } from '../../tracker/identity/own-card.ts'
import { adoptNextKey, makeNextKey, readSigner } from '../../tracker/local/signing-key.ts'
import type { View } from '../../view/index.ts'
import { type CommandResult, type DataOf, defineCommand, type GivenInput } from '../define-command.ts'

interface RotateData {
  readonly actor_id: string
  readonly label: string | null
  readonly key_scheme: string
  readonly public_key: string
  /** Null when the actor had no key. */
  readonly previous_key: string | null
  /** Null when this run completed an interrupted rotation. */
  readonly event_id: string | null
  readonly wal_head: string | null
}

export const actorRotateKey = defineCommand({
  name: 'actor rotate-key',
  summary: 'Replace the signing key of the current actor',
  description:
    'The old key signs the new one, and the log carries both signatures, so that other clones accept the new key. Existing ' +
    'signatures stay valid. An actor without a key gets its first one. If the command is interrupted, the next write or ' +
    'the next `grite actor rotate-key` completes it.',
  examples: [{ command: 'grite actor rotate-key', explains: 'once a year, or when the old key may have leaked' }],
  effect: 'adds',
  arguments: {},
  options: {},
  async run(context): Promise<CommandResult<RotateData>> {
    const repository = await context.repository()
    return repository.exclusively(async () => {
      const { paths } = repository
      const { actor } = await repository.requireActor()
      const before = await readSigner(paths, actor)
      const current = await openSigner(paths, actor, () => repository.view())
      const facts = { actor_id: actor.id, label: actor.label, key_scheme: 'ed25519' }
      if (current !== undefined && current.publicKey !== before?.publicKey) {
        // An interrupted rotation was completed; do not rotate a second time.
        await repository.forgetActor()
        const keys = { public_key: current.publicKey, previous_key: before?.publicKey ?? null }
        return { data: { ...facts, ...keys, event_id: null, wal_head: (await repository.view()).head } }
      }
      const next = await makeNextKey(paths, actor, context.random.bytes)
      const { head, result } = await repository.write(async (draft) => {
        const { signer: present } = draft
        const { label } = actor
        if (present === undefined) {
          return draft.addCard({ label, publicKey: next.publicKey, rotation: null }, { signer: next })
        }
        await draft.publishOwnCard()
        const proof = next.sign(rotationDigest(actor.id, present.publicKey, next.publicKey))
        return draft.addCard(
          { label, publicKey: next.publicKey, rotation: { previousKey: present.publicKey, proof } },
          { signer: present, after: await newestTsOf(await draft.view(), actor.id) },
        )
      })
      await adoptNextKey(paths, actor, next.publicKey)
      await new OwnCard(paths, actor).note(next)
      await repository.forgetActor()
      const keys = { public_key: next.publicKey, previous_key: current?.publicKey ?? null }
      return { data: { ...facts, ...keys, event_id: result.eventId, wal_head: head } }
    })
  },
})

export type ActorRotateKeyInput = GivenInput<typeof actorRotateKey>
export type ActorRotateKeyData = DataOf<typeof actorRotateKey>

/** Time of the newest event of an actor, or 0. The rotation must be dated after all events that the old key signed. */
async function newestTsOf(view: View, actor: string): Promise<number> {
  let newest = 0
  for await (const event of view.allEvents()) {
    if (event.actor === actor) newest = Math.max(newest, event.tsUnixMs)
  }
  return newest
}
