import type { Workspace } from '../workspace.ts'

/**
 * The name under which the one who runs this command is an assignee: the label of the actor, else its id. Before there
 * is an actor, the label that one would get; undefined when that is not known either.
 */
export async function findOwnName(repository: Workspace): Promise<string | undefined> {
  const chosen = await repository.findActor()
  if (chosen !== undefined) return chosen.actor.label ?? chosen.actor.id
  return (await repository.newActorFacts(null, false)).label ?? undefined
}
