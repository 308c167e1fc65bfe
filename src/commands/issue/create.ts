import { InvalidArgsError, requireTitle } from '../../model/index.ts'
import { createIssue } from '../../tracker/issues/changes.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { bodyOptions, fieldOptions, readBody, readFieldChanges } from './issue-input.ts'

export const issueCreate = defineCommand({
  name: 'issue create',
  summary: 'Create an issue',
  description:
    'On a terminal, without --title, opens your editor: the first line becomes the title, the rest the text.',
  examples: [
    { command: 'grite issue create --title "Crash on start"', explains: 'the shortest form' },
    {
      command: 'grite issue create --title "Crash" --label bug --assignee ann --priority P1 --type bug',
      explains: 'with labels, people and fields',
    },
    { command: 'git log -1 | grite issue create --title "Broken build" --body-file -', explains: 'text from a pipe' },
  ],
  arguments: {},
  options: {
    title: { type: 'text', valueName: 'text', summary: 'Title, one line' },
    ...bodyOptions,
    label: { type: 'text', valueName: 'label', summary: 'Label', repeatable: true, short: 'l', completes: 'label' },
    assignee: {
      type: 'text',
      valueName: 'user',
      summary: 'User to assign',
      repeatable: true,
      short: 'a',
      completes: 'assignee',
    },
    ...fieldOptions,
  },
  async run(context, input) {
    const fields = readFieldChanges(input)
    let title = input.title
    let body = await readBody(context, input)
    const repository = await context.repository()
    const issue = { labels: input.label, assignees: input.assignee, fields }
    if (title === undefined && context.text.interactive) {
      await repository.rehearse((draft) => createIssue(draft, { ...issue, title: 'x', body: body ?? '' }))
      const written = (await context.text.editText(body === undefined ? '' : `\n\n${body}`)) ?? ''
      const [first = '', ...rest] = written.trim().split(/\r?\n/)
      title = first
      body = rest.join('\n').trim()
    }
    if (title === undefined) {
      throw new InvalidArgsError('--title is required', { details: { field: 'title' } })
    }
    requireTitle(title)
    const text = { title, body: body ?? '' }
    const { head, result } = await repository.write((draft) => createIssue(draft, { ...issue, ...text }))
    return { data: { issue_id: result.issueId, event_id: result.eventId, wal_head: head, title } }
  },
})

export type IssueCreateInput = GivenInput<typeof issueCreate>
export type IssueCreateData = DataOf<typeof issueCreate>
