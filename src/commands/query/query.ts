/** Queries that a project keeps and shares through its log. */
import {
  formatQuery,
  formatSavedQuery,
  InvalidArgsError,
  joinQueries,
  joinQueryWords,
  limits,
  makeVisible,
  parseQuery,
  readSavedQuery,
  savedQueryKey,
} from '../../model/index.ts'
import { actorNames } from '../../tracker/identity/actor-names.ts'
import { readSavedQueries, requireSavedQuery, requireSavedQueryName } from '../../tracker/issues/saved-queries.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { listIssues, listOptions } from '../issue/list-issues.ts'
import { queryWords } from '../search.ts'

const savedName = { summary: 'Name of a saved query', completes: 'query' } as const

export const querySave = defineCommand({
  name: 'query save',
  summary: 'Save a query under a name, for everybody',
  description:
    'It is saved in the log, so every clone of the log has the query. `me` and ages are evaluated wherever and ' +
    'whenever it is run. A name that is taken gets the new query.',
  examples: [
    { command: "grite query save mine 'state:open assignee:me sort:priority'", explains: 'what I have to do' },
    { command: "grite query save blockers 'is:open label:blocker'", explains: 'what a release waits for' },
  ],
  arguments: {
    name: { summary: 'Letters, digits, dots, dashes and underscores', completes: 'query' },
    query: queryWords,
  },
  options: {},
  async run(context, input) {
    const { name } = input
    requireSavedQueryName(name)
    const query = joinQueryWords(input.query).trim()
    parseQuery(query)
    const value = formatSavedQuery(query)
    const repository = await context.repository()
    const { head, result } = await repository.write(async (draft) => {
      const known = await (await draft.view()).findProjectContext(savedQueryKey(name))
      const replaced = known === undefined ? null : (readSavedQuery(known.body)?.query ?? null)
      if (known?.body.value === value) return { eventId: null, replaced: null }
      return { eventId: (await draft.setProjectContext(savedQueryKey(name), value)).eventId, replaced }
    })
    const outcome = result.eventId === null ? 'unchanged' : 'changed'
    return {
      data: {
        action: 'saved',
        name,
        query,
        replaced: result.replaced,
        event_id: result.eventId,
        outcome,
        wal_head: head,
      },
    }
  },
})

export type QuerySaveInput = GivenInput<typeof querySave>
export type QuerySaveData = DataOf<typeof querySave>

export const queryList = defineCommand({
  name: 'query list',
  summary: 'List the saved queries',
  examples: [{ command: 'grite query list', explains: 'names and queries' }],
  arguments: {},
  options: {},
  async run(context) {
    const repository = await context.repository()
    const view = await repository.view()
    const { queries, isCut } = await readSavedQueries(view)
    if (isCut) {
      context.warn({
        code: 'too-many-queries',
        message: `the log holds more than ${limits.savedQueriesMax} query names; the first ones are listed`,
      })
    }
    const names = await actorNames(
      repository,
      view,
      queries.map(({ actor }) => actor),
    )
    return {
      data: {
        queries: queries.map(({ name, query, problem, actor, tsUnixMs }) => ({
          name,
          query,
          problem,
          actor,
          actor_label: names.get(actor) ?? null,
          ts_unix_ms: tsUnixMs,
        })),
        total: queries.length,
      },
    }
  },
})

export type QueryListInput = GivenInput<typeof queryList>
export type QueryListData = DataOf<typeof queryList>

export const queryRun = defineCommand({
  name: 'query run',
  summary: 'List the issues that a saved query asks for',
  examples: [
    { command: 'grite query run mine', explains: 'as it was saved' },
    { command: "grite query run mine 'label:bug limit:5'", explains: 'with further conditions' },
    { command: 'grite query run blockers --exit-status', explains: 'fail a job while there is one' },
  ],
  arguments: { name: savedName, query: { ...queryWords, summary: 'Further conditions', optional: true } },
  options: listOptions,
  async run(context, input) {
    const more = parseQuery(joinQueryWords(input.query))
    const repository = await context.repository()
    const saved = await requireSavedQuery(await repository.view(), input.name)
    if (saved.query === null || saved.problem !== null) {
      throw new InvalidArgsError(
        `the query saved as '${input.name}' cannot be run: ${makeVisible(saved.problem ?? '')}`,
        {
          details: { field: 'name', value: input.name, query: saved.query },
          hints: ['Save another one under this name, or remove it'],
        },
      )
    }
    const query = joinQueries(parseQuery(saved.query), more)
    const { data, exitStatus } = await listIssues(context, query, input)
    return { data: { ...data, name: saved.name, query: formatQuery(query) }, exitStatus }
  },
})

export type QueryRunInput = GivenInput<typeof queryRun>
export type QueryRunData = DataOf<typeof queryRun>

export const queryRemove = defineCommand({
  name: 'query remove',
  summary: 'Remove a saved query, for everybody',
  description: 'The log keeps what it said; `grite undo` brings it back.',
  examples: [{ command: 'grite query remove mine', explains: 'nobody needs it any more' }],
  arguments: { name: savedName },
  options: {},
  async run(context, { name }) {
    const repository = await context.repository()
    const { head, result } = await repository.write(async (draft) => {
      const { query } = await requireSavedQuery(await draft.view(), name)
      return { query, eventId: (await draft.setProjectContext(savedQueryKey(name), '')).eventId }
    })
    const { query, eventId } = result
    return { data: { action: 'removed', name, query, event_id: eventId, outcome: 'changed', wal_head: head } }
  },
})

export type QueryRemoveInput = GivenInput<typeof queryRemove>
export type QueryRemoveData = DataOf<typeof queryRemove>
