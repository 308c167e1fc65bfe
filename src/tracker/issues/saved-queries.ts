/** Saved queries in the log. */
import {
  type ActorId,
  type EventId,
  formatSavedQuery,
  InvalidArgsError,
  isSavedQueryName,
  limits,
  NotFoundError,
  nearWords,
  parseQuery,
  readSavedQuery,
  type SavedQuery,
  savedQueryKey,
  savedQueryPrefix,
  shellWord,
} from '../../model/index.ts'
import type { View } from '../../view/index.ts'
import type { Draft } from '../draft.ts'

/** A saved query with its author and time. */
export interface KeptQuery extends SavedQuery {
  readonly actor: ActorId
  readonly tsUnixMs: number
}

/** Reads saved queries, ordered by name; `isCut` when there are more than the limit. */
export async function readSavedQueries(
  view: View,
): Promise<{ readonly queries: readonly KeptQuery[]; readonly isCut: boolean }> {
  const contexts = await view.projectContexts(savedQueryPrefix, limits.savedQueriesMax + 1)
  const queries = contexts.slice(0, limits.savedQueriesMax).flatMap(({ body, version }) => {
    const saved = readSavedQuery(body)
    return saved === undefined ? [] : [{ ...saved, actor: version.actor, tsUnixMs: version.tsUnixMs }]
  })
  return { queries, isCut: contexts.length > limits.savedQueriesMax }
}

/** @throws {NotFoundError} suggesting similar names */
export async function requireSavedQuery(view: View, name: string): Promise<SavedQuery> {
  const context = await view.findProjectContext(savedQueryKey(name))
  const saved = context === undefined ? undefined : readSavedQuery(context.body)
  if (saved !== undefined) return saved
  const { queries } = await readSavedQueries(view)
  const near = nearWords(name, queries.map((each) => each.name).filter(isSavedQueryName))
  throw new NotFoundError(`no saved query is named '${name}'`, {
    details: { field: 'name', value: name },
    hints: [
      ...near.map((each) => `Did you mean \`${shellWord(each)}\`?`),
      'Run `grite query list` to see the saved queries',
    ],
  })
}

/** @throws {InvalidArgsError} */
export function requireSavedQueryName(name: string): void {
  if (isSavedQueryName(name)) return
  const allowed = 'letters, digits, dots, dashes and underscores, at most 64, beginning with a letter or digit'
  throw new InvalidArgsError(`name must be ${allowed}, got '${name}'`, {
    details: { field: 'name', value: name, allowed },
  })
}

/** What saving or removing a query did. */
export interface SavedQueryChange {
  /** Null when nothing had to be written. */
  readonly eventId: EventId | null
  /** What it was before; null when it was not there or could not be read. */
  readonly replaced: string | null
}

/** Drafts a query under a name. @throws {InvalidArgsError} on a name or text that is none */
export async function saveQuery(draft: Draft, name: string, query: string): Promise<SavedQueryChange> {
  requireSavedQueryName(name)
  parseQuery(query)
  const value = formatSavedQuery(query)
  const known = await (await draft.view()).findProjectContext(savedQueryKey(name))
  if (known?.body.value === value) return { eventId: null, replaced: null }
  const replaced = known === undefined ? null : (readSavedQuery(known.body)?.query ?? null)
  return { eventId: (await draft.setProjectContext(savedQueryKey(name), value)).eventId, replaced }
}

/** Drafts the removal of a saved query. @throws {NotFoundError} naming those that sound like it */
export async function removeQuery(draft: Draft, name: string): Promise<SavedQueryChange> {
  const { query } = await requireSavedQuery(await draft.view(), name)
  return { eventId: (await draft.setProjectContext(savedQueryKey(name), '')).eventId, replaced: query }
}
