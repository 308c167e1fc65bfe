/** Whom a text names: an actor by its id or the beginning of one, else by its name. Ids win. */
import { type ActorId, makeVisible, NotFoundError } from '../../model/index.ts'
import type { View } from '../../view/index.ts'
import type { CommandContext } from '../effects.ts'
import { listActors } from '../local/actors.ts'
import type { Workspace } from '../workspace.ts'

/** An actor of this clone, or one that has a card in the log. */
export interface KnownActor {
  readonly id: ActorId
  readonly label: string | null
}

/** Anybody who can push can publish any number of cards. */
const cardsMax = 10_000

export async function listKnownActors({ paths }: Workspace, view: View): Promise<readonly KnownActor[]> {
  const known = new Map<ActorId, KnownActor>()
  for (const { actor, label } of await view.findActorsByPrefix('', cardsMax)) known.set(actor, { id: actor, label })
  for (const { id, label } of await listActors(paths)) known.set(id, { id, label })
  return [...known.values()]
}

/** Actors by what they are called: as it is written, else in any case. */
function findByName(actors: readonly KnownActor[], name: string): readonly KnownActor[] {
  const exact = actors.filter(({ label }) => label === name)
  if (exact.length > 0) return exact
  const folded = name.toLowerCase()
  return actors.filter(({ label }) => label?.toLowerCase() === folded)
}

const isHex = (text: string) => /^[0-9a-f]{1,32}$/i.test(text)

/** Actors listed when several are meant. */
const candidatesMax = 10

/**
 * The beginnings of ids of the actors that a text names as authors. Of several actors of one name all are meant, since
 * one person has one in each clone; a warning lists them.
 * @throws {NotFoundError} when nobody is called so
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
    if (others.length > 0) warn(ambiguous(typed, others, 'the beginning of an id, and also the name of'))
    return [prefix]
  }
  if (named.length === 0) {
    throw new NotFoundError(`no actor is called '${makeVisible(typed)}'`, {
      details: { field: 'author', value: typed },
      hints: ['`grite actor list --all` shows the actors of this repository and their names'],
    })
  }
  if (named.length > 1) warn(ambiguous(typed, named, 'the name of'))
  return named.map(({ id }) => id)
}

function ambiguous(typed: string, actors: readonly KnownActor[], what: string) {
  const shown = actors.slice(0, candidatesMax).map(({ id }) => id)
  const more = actors.length > shown.length ? ' and more' : ''
  const count = actors.length === 1 ? '1 actor' : `${actors.length} actors`
  const message = `'${makeVisible(typed)}' is ${what} ${count}: ${shown.join(', ')}${more}; an id names one of them`
  return { code: 'ambiguous-actor', message, details: { value: typed, candidates: shown } }
}

/** As short as a prefix of an id may be that stands for somebody's name. */
const prefixMin = 4

/**
 * The texts by which issues are assigned to whom a text names: the text itself, and where it is an actor's name or id,
 * the other of both. Those are left out that nobody is assigned by.
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
