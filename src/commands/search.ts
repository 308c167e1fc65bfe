import { findLostQuotes, formatQuery, joinQueryWords, parseQuery } from '../model/index.ts'
import { type DataOf, defineCommand, type GivenInput } from './define-command.ts'
import { listIssues, listOptions } from './issue/list-issues.ts'

/** A query as words of a command line. */
export const queryWords = {
  summary: 'Conditions, all of which must hold; -x, OR and parentheses work',
  repeatable: true,
  takesTerms: true,
} as const

const description = [
  'Conditions are words to find in title or text, or qualifiers:',
  '  state:open|closed  label:x  assignee:me|none|x  author:me|<id>  id:<prefix>',
  '  type:x  status:x  milestone:x  parent:<issue>  priority:P0  priority:<=P1',
  '  due:2026-12-01  due:<7d  due:overdue  created:<7d  updated:>=2026-01-31',
  '  text:"a phrase"  has:comments  no:assignee  is:overdue',
  '  sort:updated  sort:title-desc  limit:20',
  'A dash before a condition turns it round; OR joins alternatives, parentheses group. Ages are <7d (less than seven days ' +
    'ago) or >30d, days are UTC, ranges have .. between. Quotes keep spaces together: label:"help wanted". Put the whole ' +
    'query into single quotes, so that the shell leaves it alone. docs/queries.md tells all of it.',
].join('\n')

export const search = defineCommand({
  name: 'search',
  summary: 'Find issues with a query',
  description,
  examples: [
    { command: 'grite search crash', explains: 'a word in title or text' },
    { command: "grite search 'state:open label:bug -label:wontfix assignee:me'", explains: 'conditions' },
    {
      command: `grite search 'text:"race condition" updated:<7d sort:priority'`,
      explains: 'a phrase, a time, an order',
    },
    { command: "grite search 'is:overdue OR priority:P0' --exit-status", explains: 'fail a job while there is one' },
  ],
  arguments: { query: queryWords },
  options: listOptions,
  async run(context, input) {
    const query = parseQuery(joinQueryWords(input.query))
    const { data, exitStatus } = await listIssues(context, query, input)
    const meant = data.total === 0 ? findLostQuotes(input.query) : undefined
    if (meant !== undefined) {
      context.warn({
        code: 'lost-quotes',
        message: `the shell took the quotes, if there were any; for one value with spaces write '${meant}'`,
        details: { query: meant },
      })
    }
    return { data: { ...data, query: formatQuery(query) }, exitStatus }
  },
})

export type SearchInput = GivenInput<typeof search>
export type SearchData = DataOf<typeof search>
