/** Resolves a text to actors: by id or prefix, else by name. Ids win. */
import { type ActorId, makeVisible, NotFoundError } from '../../model/index.ts'
import type { View } from '../../view/index.ts'
import type { CommandContext } from '../effects.ts'
import { listActors } from '../local/actors.ts'
import type { Workspace } from '../workspace.ts'

/** An actor of this clone, or one with a card in the log. */
export interface KnownActor {
  readonly id: ActorId
  readonly label: string | null
}

/** Anyone who can push can publish any number of cards. */
const cardsMax = 10_000

export async function listKnownActors({ paths }: Workspace, view: View): Promise<readonly KnownActor[]> {
  const known = new Map<ActorId, KnownActor>()
  for (const { actor, label } of await view.findActorsByPrefix('', cardsMax)) known.set(actor, { id: actor, label })
  for (const { id, label } of await listActors(paths)) known.set(id, { id, label })
  return [...known.values()]
}

/** Finds actors by name: an exact match, else ignoring case. */
function findByName(actors: readonly KnownActor[], name: string): readonly KnownActor[] {
  const exact = actors.filter(({ label }) => label === name)
  if (exact.length > 0) return exact
  const folded = name.toLowerCase()
  return actors.filter(({ label }) => label?.toLowerCase() === folded)
}

const isHex = (text: string) => /^[0-9a-f]{1,32}$/i.test(text)

/** Maximum number of actors listed when several match. */
const candidatesMax = 10

/**
 * Resolves an author to ids or id prefixes. If several actors have the name, all match, since one person has an actor in
 * each clone; a warning lists them.
 * @throws {NotFoundError} when no actor has the name
 */
export function resolveAuthor(
  { warn }: Pick<CommandContext, 'warn'>,
  actors: readonly KnownActor[],
  typed: string,
): readonly string[] {
  const prefix = typed.toLowerCase()
  const named = findByName(actors, typed)
  if (isHex(typed) && (named.length === 0 || actors.some(({ id }) => id.startsWith(prefix)))) {
    const others = named.filter(({ id }) => !id.startsWith(prefix))
    if (others.length > 0) warn(ambiguous(typed, others, 'a prefix of an id, and also the name of'))
    return [prefix]
  }
  if (named.length === 0) {
    throw new NotFoundError(`no actor is named '${makeVisible(typed)}'`, {
      details: { field: 'author', value: typed },
      hints: ['`grite actor list --all` lists the actors of this repository and their names'],
    })
  }
  if (named.length > 1) warn(ambiguous(typed, named, 'the name of'))
  return named.map(({ id }) => id)
}

function ambiguous(typed: string, actors: readonly KnownActor[], what: string) {
  const shown = actors.slice(0, candidatesMax).map(({ id }) => id)
  const more = actors.length > shown.length ? ' and more' : ''
  const count = actors.length === 1 ? '1 actor' : `${actors.length} actors`
  const message = `'${makeVisible(typed)}' is ${what} ${count}: ${shown.join(', ')}${more}; use an id to select one`
  return { code: 'ambiguous-actor', message, details: { value: typed, candidates: shown } }
}

/** Minimum length of an id prefix that is accepted in place of a name. */
const prefixMin = 4

/**
 * The assignee texts that match a name: the text itself and, if it is the name or id of an actor, the other of the two.
 * Leaves out texts that no issue has as assignee.
 */
export async function assigneesNamed(
  view: View,
  actors: readonly KnownActor[],
  typed: string,
): Promise<readonly [string, ...string[]]> {
  const prefix = typed.toLowerCase()
  const byId = isHex(typed) && typed.length >= prefixMin ? actors.filter(({ id }) => id.startsWith(prefix)) : []
  const people = [...byId, ...findByName(actors, typed)]
  const others = new Set(people.flatMap(({ id, label }) => (label === null ? [id] : [id, label])))
  others.delete(typed)
  const used: string[] = []
  for (const other of others) if (await view.isAssignee(other)) used.push(other)
  return [typed, ...used]
}
