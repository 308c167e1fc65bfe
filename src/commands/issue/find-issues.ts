/** Which issues a query asks for: what an index can answer first, then the rows, then the texts that still decide. */
import {
  compileQuery,
  conditionsOf,
  currentBody,
  type IssueId,
  type IssueState,
  mapConditions,
  narrowQuery,
  type Query,
  type QueryFacts,
  type QueryTerm,
  type QueryTest,
  sortRows,
} from '../../model/index.ts'
import type { IssueRow, View } from '../../view/index.ts'
import { readClaimedIds } from '../claim/read-claims.ts'
import type { CommandContext } from '../context.ts'
import { findOwnName } from '../local/own-name.ts'
import type { Repository } from '../repository.ts'
import { resolveIssue } from './resolve-issue.ts'

/**
 * All issues that a query asks for, in its order; its limit is for the caller.
 * @throws {InvalidArgsError} @throws {NotFoundError} when it names a parent that is ambiguous or not here
 */
export async function findIssues(
  context: Pick<CommandContext, 'clock' | 'warn'>,
  repository: Repository,
  { filter, sort }: Query,
): Promise<IssueRow[]> {
  const view = await repository.view()
  const facts = await factsFor(context, repository, filter)
  const term = filter === null ? null : await resolveParents(view, filter)
  const rows = await view.listIssues(narrowQuery(term, facts))
  return sortRows(await passing(view, rows, compileQuery(term, facts)), sort)
}

async function factsFor(
  { clock, warn }: Pick<CommandContext, 'clock' | 'warn'>,
  repository: Repository,
  filter: QueryTerm | null,
): Promise<QueryFacts> {
  const nowUnixMs = clock.nowUnixMs()
  const asksForMe = [...conditionsOf(filter)].some((each) => 'who' in each && each.who.is === 'me')
  const name = asksForMe ? await findOwnName(repository) : undefined
  const actor = asksForMe ? (await repository.findActor())?.actor : undefined
  if (asksForMe && name === undefined) {
    warn({
      code: 'nobody-here',
      message: 'nobody writes in this clone yet, so `me` matches nothing; `grite actor init` makes an actor',
    })
  }
  const asksForClaims = [...conditionsOf(filter)].some(({ kind }) => kind === 'claimed')
  return {
    nowUnixMs,
    me: name === undefined ? null : { name, actor: actor?.id ?? null },
    claimed: asksForClaims ? await readClaimedIds(repository) : new Set(),
  }
}

/** Parents as people name them become full ids. */
async function resolveParents(view: View, term: QueryTerm): Promise<QueryTerm> {
  const resolved = new Map<string, IssueId>()
  for (const each of conditionsOf(term)) {
    if (each.kind !== 'field' || each.key !== 'parent' || resolved.has(each.value)) continue
    resolved.set(each.value, await resolveIssue(view, each.value))
  }
  if (resolved.size === 0) return term
  return mapConditions(term, (each) =>
    each.kind === 'field' && each.key === 'parent' ? { ...each, value: resolved.get(each.value) ?? each.value } : each,
  )
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

/** Issues whose texts are in memory at once. */
const textsAtOnce = 256

/** States of these issues, and perhaps of others, a few at a time: texts may be long. */
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
