/** Saved queries, shared through the log. */
import {
  formatQuery,
  InvalidArgsError,
  joinQueries,
  joinQueryWords,
  limits,
  makeVisible,
  parseQuery,
} from '../../model/index.ts'
import { actorNames } from '../../tracker/identity/actor-names.ts'
import {
  readSavedQueries,
  removeQuery,
  requireSavedQuery,
  requireSavedQueryName,
  saveQuery,
} from '../../tracker/issues/saved-queries.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { headerOption } from '../header-option.ts'
import { listIssues, listOptions } from '../issue/list-issues.ts'
import { queryWords } from '../search.ts'

const savedName = { summary: 'Name of a saved query', completes: 'query' } as const

export const querySave = defineCommand({
  name: 'query save',
  summary: 'Save a query under a name, for all clones',
  description:
    'The query is saved in the log, so all clones share it. `me` and ages are evaluated when and where it is run. Saving ' +
    'under an existing name replaces the query.',
  examples: [
    {
      command: "grite query save mine 'state:open assignee:me sort:priority'",
      explains: 'issues assigned to the caller',
    },
    { command: "grite query save blockers 'is:open label:blocker'", explains: 'issues that block a release' },
  ],
  served: true,
  effect: 'sets',
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
    const repository = await context.repository()
    const { head, result } = await repository.write((draft) => saveQuery(draft, name, query))
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
  served: true,
  effect: 'reads',
  arguments: {},
  options: headerOption,
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
  summary: 'List the issues that match a saved query',
  examples: [
    { command: 'grite query run mine', explains: 'run the query as saved' },
    { command: "grite query run mine 'label:bug limit:5'", explains: 'add conditions' },
    { command: 'grite query run blockers --exit-status', explains: 'fail a CI job if any issue matches' },
  ],
  served: true,
  isKept: true,
  effect: 'reads',
  arguments: { name: savedName, query: { ...queryWords, summary: 'Additional conditions', optional: true } },
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
          hints: ['Save another query under this name, or remove it'],
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
  summary: 'Remove a saved query, for all clones',
  description: 'The log keeps the query; `grite undo` restores it.',
  examples: [{ command: 'grite query remove mine', explains: 'remove the query `mine`' }],
  served: true,
  effect: 'sets',
  arguments: { name: savedName },
  options: {},
  async run(context, { name }) {
    const repository = await context.repository()
    const { head, result } = await repository.write((draft) => removeQuery(draft, name))
    const { replaced: query, eventId } = result
    return { data: { action: 'removed', name, query, event_id: eventId, outcome: 'changed', wal_head: head } }
  },
})

export type QueryRemoveInput = GivenInput<typeof queryRemove>
export type QueryRemoveData = DataOf<typeof queryRemove>
