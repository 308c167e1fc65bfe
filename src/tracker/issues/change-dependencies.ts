/** Plans that add and remove edges on a draft, shared by `issue dep` and `batch`. */

import {
  currentTitle,
  type DependencyType,
  dependencyKey,
  dependencyTypes,
  type EventId,
  InvalidArgsError,
  type IssueId,
  type IssueState,
  isPresent,
  makeVisible,
  orderOf,
  respell,
  type StoredEdge,
} from '../../model/index.ts'
import { shortIdLength } from '../../view/index.ts'
import type { Draft } from '../draft.ts'

export interface DependencyChange {
  /** Empty when there was nothing to change. */
  readonly eventIds: readonly EventId[]
  /** The stored edge after an addition, or the removed edge; null when there was none to remove. */
  readonly storedAs: StoredEdge | null
  /** An equivalent edge that remains after a removal. */
  readonly left: StoredEdge | null
}

/**
 * Drafts an edge, unless the log already has it or its equivalent.
 * @throws {NotFoundError} when one of the issues does not exist
 * @throws {InvalidArgsError} when an issue would wait for itself, directly or through others
 */
export async function addDependency(draft: Draft, edge: StoredEdge): Promise<DependencyChange> {
  const [source, target] = [await draft.requireIssue(edge.source), await draft.requireIssue(edge.target)]
  if (edge.source === edge.target) {
    const [name] = await nameIssues(draft, [edge.source])
    throw new InvalidArgsError(`target must be another issue, got ${name} itself`, {
      details: { field: 'target', value: edge.target },
    })
  }
  if (hasEdge(source, edge)) return { eventIds: [], storedAs: edge, left: null }
  if (hasEdge(target, respell(edge))) return { eventIds: [], storedAs: respell(edge), left: null }
  await requireNoCycle(draft, edge)
  const event = await draft.add(edge.source, { type: 'DependencyAdded', target: edge.target, dep_type: edge.type })
  return { eventIds: [event.eventId], storedAs: edge, left: null }
}

/**
 * Drafts the removal of an edge, or of its equivalent if only that exists. The target may be unknown in this clone.
 * @throws {NotFoundError} when the source does not exist
 */
export async function removeDependency(draft: Draft, edge: StoredEdge): Promise<DependencyChange> {
  const source = await draft.requireIssue(edge.source)
  const target = await draft.findIssue(edge.target)
  const other = respell(edge)
  const standing = [
    ...(hasEdge(source, edge) ? [edge] : []),
    ...(target !== undefined && hasEdge(target, other) ? [other] : []),
  ]
  const [stored = null, left = null] = standing
  if (stored === null) return { eventIds: [], storedAs: null, left }
  const body = { type: 'DependencyRemoved', target: stored.target, dep_type: stored.type } as const
  return { eventIds: [(await draft.add(stored.source, body)).eventId], storedAs: stored, left }
}

/** @throws {InvalidArgsError} listing the valid types */
export function requireDependencyType(text: string): DependencyType {
  if (dependencyTypes.includes(text as DependencyType)) return text as DependencyType
  throw new InvalidArgsError(`dependency type must be one of ${dependencyTypes.join(', ')}, got '${text}'`, {
    details: { field: 'type', value: text, allowed: dependencyTypes },
  })
}

function hasEdge(state: IssueState, { target, type }: StoredEdge): boolean {
  const versions = state.dependencies.get(dependencyKey({ target, type }))
  return versions !== undefined && isPresent(versions)
}

async function requireNoCycle(draft: Draft, edge: StoredEdge): Promise<void> {
  const order = orderOf(edge)
  if (order === null) return
  const path = (await draft.dependencyGraph()).findPath(order.waits, order.first)
  if (path === undefined) return
  const cycle = await describeCycle(draft, path)
  throw new InvalidArgsError(
    `this edge would close a cycle, in which each issue waits for the previous one: ${cycle}`,
    {
      details: { field: 'target', value: edge.target, cycle: path.slice(0, idsToldMax), cycle_length: path.length },
      hints: ['Reverse the new edge, or remove an existing one; `grite issue dep list <issue>` lists them'],
    },
  )
}

/** Maximum number of ids of a cycle in the details of the error. */
const idsToldMax = 100
/** Issues of a long cycle that the message shows at each end. */
const namedAtEachEnd = 4

async function describeCycle(draft: Draft, path: readonly IssueId[]): Promise<string> {
  const round = [...path, path[0] as IssueId]
  const leftOut = round.length - 2 * namedAtEachEnd
  if (leftOut <= 1) return (await nameIssues(draft, round)).join(' -> ')
  const ends = [...round.slice(0, namedAtEachEnd), ...round.slice(-namedAtEachEnd)]
  return (await nameIssues(draft, ends)).toSpliced(namedAtEachEnd, 0, `(${leftOut} more)`).join(' -> ')
}

async function nameIssues(draft: Draft, ids: readonly IssueId[]): Promise<string[]> {
  const shortIds = await (await draft.view()).shortIds(ids, shortIdLength)
  const names: string[] = []
  for (const id of ids) {
    const state = await draft.findIssue(id)
    names.push(
      state === undefined ? id : `${shortIds.get(id) ?? id} '${makeVisible(shortenTitle(currentTitle(state)))}'`,
    )
  }
  return names
}

const titleLengthMax = 40

function shortenTitle(title: string): string {
  const characters = [...title]
  return characters.length <= titleLengthMax ? title : `${characters.slice(0, titleLengthMax).join('')}…`
}
