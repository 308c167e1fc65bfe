import { type ActorId, isCardEvent, pinActor, readCard, whyCardIsIgnored } from '../../model/index.ts'
import type { View } from '../../view/index.ts'
import { verifySignature } from '../../wal/index.ts'
import type { Workspace } from '../workspace.ts'
import { readLocalKeys } from './key-ring.ts'

/** A problem with actor cards. */
export interface CardProblem {
  /** The actor of the card, or the affected actor. */
  readonly actor: string
  /** Null when the problem is in the local configuration. */
  readonly event_id: string | null
  readonly reason: string
}

/** Finds invalid cards in the log, and actors of this clone whose key differs from the one in the log. */
export async function findCardProblems(repository: Workspace, view: View): Promise<CardProblem[]> {
  const problems: CardProblem[] = []
  for await (const event of view.cardEvents()) {
    if (!isCardEvent(event)) continue
    const reading = readCard(event, verifySignature)
    const reason =
      'problem' in reading
        ? reading.problem
        : whyCardIsIgnored(reading.card, (await view.findActor(event.actor)) ?? pinActor(event.actor, []))
    if (reason !== null) problems.push({ actor: event.actor, event_id: event.eventId, reason })
  }
  return [...problems, ...(await findLocalProblems(repository, view))]
}

async function findLocalProblems(repository: Workspace, view: View): Promise<CardProblem[]> {
  const local = await readLocalKeys(repository)
  const pinned = await view.findActors([...local.keys()] as ActorId[])
  return [...pinned.values()].flatMap(({ actor, keys }): CardProblem[] => {
    if (keys.length === 0 || keys.some(({ publicKey }) => publicKey === local.get(actor))) return []
    const reason =
      local.get(actor) === null
        ? 'this actor of this clone has no key, but the log has a card that gives it one'
        : 'the log has another key for this actor of this clone: its signatures do not verify in other clones'
    return [{ actor, event_id: null, reason }]
  })
}
