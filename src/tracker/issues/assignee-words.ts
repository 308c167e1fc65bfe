/** The words for people in options: `me`, `none` and `all`. A user whose name is such a word is assigned by `issue assignee`. */
import { InvalidArgsError, makeVisible } from '../../model/index.ts'
import { findOwnName } from '../identity/own-name.ts'
import type { Workspace } from '../workspace.ts'

/** Users to assign, and users to unassign; `all` are all others. */
export interface AssigneeChange {
  readonly add: readonly string[]
  readonly remove: readonly string[] | 'all'
}

/**
 * Replaces `me` by the caller's own name, and an assignee `none` or an unassigned `all` by everybody.
 * @throws {InvalidArgsError} on `none` beside a name, and on a user who is both assigned and unassigned
 */
export async function readAssigneeWords(
  repository: () => Promise<Workspace>,
  { assign, unassign }: { readonly assign: readonly string[]; readonly unassign: readonly string[] },
): Promise<AssigneeChange> {
  const nobody = assign.includes('none')
  if (nobody && assign.some((user) => user !== 'none')) {
    throw new InvalidArgsError("assignee 'none' cannot be combined with another user", {
      details: { field: 'assignee', value: 'none' },
      hints: ['`--unassign all --assignee <user>` leaves only that user'],
    })
  }
  const add = nobody ? [] : await resolveMe(repository, assign)
  if (nobody || unassign.includes('all')) return { add, remove: 'all' }
  const remove = await resolveMe(repository, unassign)
  const both = remove.find((user) => add.includes(user))
  if (both === undefined) return { add, remove }
  throw new InvalidArgsError(`user '${makeVisible(both)}' is both assigned and unassigned`, {
    details: { field: 'unassign', value: both },
  })
}

/** Opens the repository only if a word needs it. */
async function resolveMe(repository: () => Promise<Workspace>, users: readonly string[]): Promise<readonly string[]> {
  if (!users.includes('me')) return users
  const open = await repository()
  const own = (await findOwnName(open)) ?? (await open.requireActor()).actor.id
  return users.map((user) => (user === 'me' ? own : user))
}
