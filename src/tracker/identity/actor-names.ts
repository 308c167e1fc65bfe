import { isActorId } from '../../model/index.ts'
import type { View } from '../../view/index.ts'
import { listActors } from '../local/actors.ts'
import type { Workspace } from '../workspace.ts'

/**
 * Names of actors: the label in this clone, else the label of the card in the log. Actors without a name are left out.
 * Anyone can put any label on their own card, so a label that another of these actors, or an actor of this clone, also has
 * is followed by a prefix of the id.
 */
export async function actorNames(
  repository: Workspace,
  view: View,
  actors: Iterable<string>,
): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>()
  const locals = await listActors(repository.paths)
  for (const { id, label } of locals) if (label !== null) names.set(id, label)
  const taken = new Set(names.values())
  const known = new Set<string>(locals.map(({ id }) => id))
  // The owner of a lock may be arbitrary text.
  const foreign = [...new Set(actors)].filter(isActorId).filter((actor) => !known.has(actor))
  for (const { actor, label } of (await view.findActors(foreign.sort())).values()) {
    if (label === null) continue
    names.set(actor, taken.has(label) ? `${label} (${actor.slice(0, shownIdLength)})` : label)
    taken.add(label)
  }
  return names
}

const shownIdLength = 8
