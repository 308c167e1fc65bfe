/** Evaluates a query: first by index, then by the rows of issues, and by their texts only where that is still needed. */
import {
  anyOf,
  compileQuery,
  conditionsOf,
  currentBody,
  type IssueId,
  type IssueState,
  mapConditions,
  narrowQuery,
  type Query,
  type QueryCondition,
  type QueryFacts,
  type QueryTerm,
  type QueryTest,
  sortRows,
} from '../../model/index.ts'
import type { IssueRow, View } from '../../view/index.ts'
import { readClaimedIds } from '../claims/read-claims.ts'
import type { CommandContext } from '../effects.ts'
import { assigneesNamed, type KnownActor, listKnownActors, resolveAuthor } from '../identity/find-people.ts'
import { findOwnName } from '../identity/own-name.ts'
import type { Workspace } from '../workspace.ts'
import { resolveIssue } from './resolve-issue.ts'

/**
 * Returns all issues that match a query, in its order; the caller applies its limit.
 * @throws {InvalidArgsError} @throws {NotFoundError} when a parent is ambiguous or unknown in this clone, or an author is
 * unknown
 */
export async function findIssues(
  context: Pick<CommandContext, 'clock' | 'warn'>,
  repository: Workspace,
  { filter, sort }: Query,
): Promise<IssueRow[]> {
  const view = await repository.view()
  const facts = await factsFor(context, repository, filter)
  const term = filter === null ? null : await resolveNames(context, repository, filter)
  const rows = await view.listIssues(narrowQuery(term, facts))
  return sortRows(await passing(view, rows, compileQuery(term, facts)), sort)
}

async function factsFor(
  { clock, warn }: Pick<CommandContext, 'clock' | 'warn'>,
  repository: Workspace,
  filter: QueryTerm | null,
): Promise<QueryFacts> {
  const nowUnixMs = clock.nowUnixMs()
  const asksForMe = [...conditionsOf(filter)].some((each) => 'who' in each && each.who.is === 'me')
  const name = asksForMe ? await findOwnName(repository) : undefined
  const actor = asksForMe ? (await repository.findActor())?.actor : undefined
  if (asksForMe && name === undefined) {
    warn({
      code: 'nobody-here',
      message: 'this clone has no actor yet, so `me` matches nothing; run `grite actor init` to create one',
    })
  }
  const asksForClaims = [...conditionsOf(filter)].some(({ kind }) => kind === 'claimed')
  return {
    nowUnixMs,
    me: name === undefined ? null : { name, actor: actor?.id ?? null },
    claimed: asksForClaims ? await readClaimedIds(repository) : new Set(),
  }
}

/** Resolves parents to ids, and people to ids and assignee names. */
async function resolveNames(
  context: Pick<CommandContext, 'warn'>,
  repository: Workspace,
  term: QueryTerm,
): Promise<QueryTerm> {
  const view = await repository.view()
  const resolved = new Map<QueryCondition, QueryTerm>()
  let actors: Promise<readonly KnownActor[]> | undefined
  const known = () => {
    actors ??= listKnownActors(repository, view)
    return actors
  }
  for (const each of conditionsOf(term)) {
    if (each.kind === 'field' && each.key === 'parent') {
      resolved.set(each, { ...each, value: await resolveIssue(view, each.value) })
    } else if (each.kind === 'author' && each.who.is === 'named') {
      resolved.set(each, whoOf('author', resolveAuthor(context, await known(), each.who.name)))
    } else if (each.kind === 'assignee' && each.who.is === 'named') {
      resolved.set(each, whoOf('assignee', await assigneesNamed(view, await known(), each.who.name)))
    }
  }
  return resolved.size === 0 ? term : mapConditions(term, (each) => resolved.get(each) ?? each)
}

/** A term that matches any of these names. */
function whoOf(kind: 'author' | 'assignee', names: readonly string[]): QueryTerm {
  return anyOf(names.map((name) => ({ kind, who: { is: 'named', name } }))) as QueryTerm
}

async function passing(view: View, rows: readonly IssueRow[], test: QueryTest): Promise<IssueRow[]> {
  const judged = rows.map((row) => test(row, undefined))
  const passed = new Set(rows.filter((_, index) => judged[index] === true))
  const open = new Map(
    rows.filter((_, index) => judged[index] === undefined).map((row) => [row.issue_id, row] as const),
  )
  for await (const state of statesOf(view, [...open.keys()])) {
    const row = open.get(state.issueId)
    if (row !== undefined && test(row, currentBody(state)) === true) passed.add(row)
  }
  return rows.filter((row) => passed.has(row))
}

/** Issues whose texts are in memory at the same time. */
const textsAtOnce = 256

/** Reads the states of these issues, and possibly of others, in small batches, since texts may be long. */
async function* statesOf(view: View, ids: readonly IssueId[]): AsyncGenerator<IssueState> {
  if (ids.length === 0) return
  if (view.isMost(ids.length)) {
    yield* view.allStates()
    return
  }
  for (let start = 0; start < ids.length; start += textsAtOnce) {
    yield* (await view.findStates(ids.slice(start, start + textsAtOnce))).values()
  }
}
