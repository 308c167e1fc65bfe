/** Evaluates a query: first by index, then by the rows of issues, and by their texts only where that is still needed. */
import {
  anyOf,
  compileQuery,
  conditionsOf,
  type IssueId,
  mapConditions,
  narrowQuery,
  type Query,
  type QueryCondition,
  type QueryFacts,
  type QueryTerm,
  sortRows,
  wantedTexts,
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
  if (wantedTexts(term).length > 0 || asksWhenClosed(term)) await view.requireEvents()
  const rows = await view.listIssues(narrowQuery(term, facts))
  return sortRows(await passing(view, rows, term, facts), sort)
}

async function factsFor(
  { clock, warn }: Pick<CommandContext, 'clock' | 'warn'>,
  repository: Workspace,
  filter: QueryTerm | null,
): Promise<QueryFacts> {
  const asksForMe = [...conditionsOf(filter)].some((each) => 'who' in each && each.who.is === 'me')
  const name = asksForMe ? await findOwnName(repository) : undefined
  const actor = asksForMe ? (await repository.findActor())?.actor : undefined
  if (asksForMe && name === undefined) {
    warn({
      code: 'nobody-here',
      message: 'this clone has no actor yet, so `me` matches nothing; run `grite actor init` to create one',
    })
  }
  const asksFor = (kind: QueryCondition['kind']) => [...conditionsOf(filter)].some((each) => each.kind === kind)
  return {
    // Read only by conditions about time.
    get nowUnixMs() {
      return clock.nowUnixMs()
    },
    me: name === undefined ? null : { name, actor: actor?.id ?? null },
    claimed: asksFor('claimed') ? await readClaimedIds(repository) : new Set(),
    ready: asksFor('ready') ? await readReadyIds(repository) : new Set(),
    blocked: asksFor('blocked') ? await readBlockedIds(repository) : new Set(),
  }
}

async function readReadyIds(repository: Workspace): Promise<ReadonlySet<IssueId>> {
  const { readReadyQueue } = await import('./ready-queue.ts')
  return new Set((await readReadyQueue(repository)).ready.map(({ unparsed }) => unparsed.issueId))
}

async function readBlockedIds(repository: Workspace): Promise<ReadonlySet<IssueId>> {
  const { readWork } = await import('./work.ts')
  return (await readWork(await repository.view())).heldUp
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

function asksWhenClosed(term: QueryTerm | null): boolean {
  return [...conditionsOf(term)].some((each) => 'key' in each && each.key === 'closed')
}

/** A term that matches any of these names. */
function whoOf(kind: 'author' | 'assignee', names: readonly string[]): QueryTerm {
  return anyOf(names.map((name) => ({ kind, who: { is: 'named', name } }))) as QueryTerm
}

/** Reads texts, times and comments only of issues whose result depends on them. */
async function passing(
  view: View,
  rows: readonly IssueRow[],
  term: QueryTerm | null,
  facts: QueryFacts,
): Promise<readonly IssueRow[]> {
  const test = compileQuery(term, facts)
  const judged = rows.map((row) => test(row, undefined))
  if (!judged.includes(undefined)) return rows.filter((_, index) => judged[index] === true)
  const { readDetails } = await import('./query-details.ts')
  const open = rows.filter((_, index) => judged[index] === undefined)
  const passed = await readDetails(view, open, { test, wanted: wantedTexts(term), needsClosedTs: asksWhenClosed(term) })
  return rows.filter((row, index) => judged[index] ?? passed.has(row.issue_id))
}
