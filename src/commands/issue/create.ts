import { InvalidArgsError, requireTitle } from '../../model/index.ts'
import { readAssigneeWords } from '../../tracker/issues/assignee-words.ts'
import { createIssue } from '../../tracker/issues/changes.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { bodyOptions, fieldOptions, readBody, readFieldChanges } from './issue-input.ts'

export const issueCreate = defineCommand({
  name: 'issue create',
  shortForms: ['new'],
  summary: 'Create an issue',
  description:
    'On a terminal, without a title, opens your editor: the first line becomes the title, the rest the text. `--assignee me` ' +
    'assigns you. Days such as friday or 1mo are counted from today in your time zone.',
  examples: [
    { command: 'grite issue create "Crash on start"', explains: 'a title is enough' },
    {
      command: 'grite issue create "Crash" --label bug --assignee me --priority P1 --type bug --due friday',
      explains: 'with labels, people and fields',
    },
    { command: 'git log -1 | grite issue create "Broken build" --body-file -', explains: 'text from a pipe' },
  ],
  served: true,
  effect: 'adds',
  arguments: { title: { summary: 'Title, one line', optional: true, isProse: true } },
  options: {
    title: { type: 'text', valueName: 'text', summary: 'The title, as an option' },
    ...bodyOptions,
    label: { type: 'text', valueName: 'label', summary: 'Label', repeatable: true, short: 'l', completes: 'label' },
    assignee: {
      type: 'text',
      valueName: 'user',
      summary: 'Assign this user, or `me`',
      repeatable: true,
      short: 'a',
      completes: 'assignee',
    },
    ...fieldOptions,
  },
  async run(context, input) {
    const fields = readFieldChanges(input, context.clock)
    let title = input.title
    let body = await readBody(context, input)
    const people = { assign: input.assignee, unassign: [] }
    const { add: assignees } = await readAssigneeWords(context.repository, people)
    const repository = await context.repository()
    const issue = { labels: input.label, assignees, fields }
    if (title === undefined && context.text.interactive) {
      await repository.rehearse((draft) => createIssue(draft, { ...issue, title: 'x', body: body ?? '' }))
      const written = (await context.text.editText(body === undefined ? '' : `\n\n${body}`)) ?? ''
      const [first = '', ...rest] = written.trim().split(/\r?\n/)
      title = first
      body = rest.join('\n').trim()
    }
    if (title === undefined) {
      throw new InvalidArgsError('a title is required: give it in quotes, or with --title', {
        details: { field: 'title' },
      })
    }
    requireTitle(title)
    const text = { title, body: body ?? '' }
    const { head, result } = await repository.write((draft) => createIssue(draft, { ...issue, ...text }))
    return { data: { issue_id: result.issueId, event_id: result.eventId, wal_head: head, title } }
  },
})

export type IssueCreateInput = GivenInput<typeof issueCreate>
export type IssueCreateData = DataOf<typeof issueCreate>
