import type { Workspace } from '../workspace.ts'

/**
 * The caller's name as an assignee: the label of the actor, else its id. Before an actor exists, the label that it would
 * get, or undefined if that is unknown.
 */
export async function findOwnName(repository: Workspace): Promise<string | undefined> {
  const chosen = await repository.findActor()
  if (chosen !== undefined) return chosen.actor.label ?? chosen.actor.id
  return (await repository.newActorFacts(null, false)).label ?? undefined
}
