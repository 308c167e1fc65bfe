import { findLostQuotes, formatQuery, joinQueryWords, parseQuery } from '../model/index.ts'
import { type DataOf, defineCommand, type GivenInput } from './define-command.ts'
import { listIssues, listOptions } from './issue/list-issues.ts'

/** A query given as words on the command line. */
export const queryWords = {
  summary: 'Conditions that must all hold; supports -x, OR and parentheses',
  repeatable: true,
  takesTerms: true,
} as const

const description = [
  'A condition is a word to find in title, text or comments, or a qualifier:',
  '  state:open|closed  label:x  assignee:me|none|x  author:me|<id>  id:<prefix>',
  '  type:x  status:x  milestone:x  parent:<issue>  priority:P0  priority:<=P1',
  '  due:2026-12-01  due:<7d  due:overdue  created:<7d  updated:>=2026-01-31',
  '  closed:<7d  commented:<7d  is:ready  is:blocked  is:overdue  is:claimed',
  '  text:"a phrase"  has:comments  no:assignee',
  '  sort:updated  sort:title-desc  limit:20',
  'A leading dash negates a condition, OR joins alternatives, parentheses group. Ages are <7d (less than seven days ago) ' +
    'or >30d, days are UTC, ranges are written a..b. Quote a value with spaces: label:"help wanted". Put the whole query ' +
    'in single quotes to protect it from the shell. docs/queries.md has the full syntax.',
].join('\n')

export const search = defineCommand({
  name: 'search',
  summary: 'Find issues with a query',
  description,
  examples: [
    { command: 'grite search crash', explains: 'a word in the title, text or a comment' },
    { command: "grite search 'state:open label:bug -label:wontfix assignee:me'", explains: 'conditions' },
    {
      command: `grite search 'text:"race condition" updated:<7d sort:priority'`,
      explains: 'a phrase, an age and an order',
    },
    {
      command: "grite search 'is:overdue OR priority:P0' --exit-status",
      explains: 'fail a CI job if any issue matches',
    },
  ],
  served: true,
  isKept: true,
  effect: 'reads',
  arguments: { query: queryWords },
  options: listOptions,
  async run(context, input) {
    const query = parseQuery(joinQueryWords(input.query))
    const { data, exitStatus } = await listIssues(context, query, input)
    const meant = data.total === 0 ? findLostQuotes(input.query) : undefined
    if (meant !== undefined) {
      context.warn({
        code: 'lost-quotes',
        message: `the shell removed the quotes, if there were any; to search for one value with spaces, write '${meant}'`,
        details: { query: meant },
      })
    }
    return { data: { ...data, query: formatQuery(query) }, exitStatus }
  },
})

export type SearchInput = GivenInput<typeof search>
export type SearchData = DataOf<typeof search>
