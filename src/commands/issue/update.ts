import { currentBody, currentTitle, InvalidArgsError, requireTitle } from '../../model/index.ts'
import { updateIssue } from '../../tracker/issues/changes.ts'
import { resolveIssue } from '../../tracker/issues/resolve-issue.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { lockOption } from '../lock/lock-option.ts'
import { changeIssues } from './change-command.ts'
import { bodyOptions, fieldOptions, readBody, readFieldChanges } from './issue-input.ts'

export const issueUpdate = defineCommand({
  name: 'issue update',
  summary: 'Change title, text or fields of an issue',
  description: 'On a terminal, with only an id, opens your editor with the current title and text.',
  examples: [
    { command: 'grite issue update 3f2a91c --title "Crash on first start"', explains: 'a better title' },
    { command: 'grite issue update 3f2a91c --priority P0 --due 2026-12-01', explains: 'set fields' },
    { command: 'grite issue update 3f2a91c --set milestone=', explains: 'clear a field' },
  ],
  arguments: {
    issue: { summary: 'Issue id, a unique prefix of it, or an imported id', repeatable: true, completes: 'issue' },
  },
  options: {
    title: { type: 'text', valueName: 'text', summary: 'New title' },
    ...bodyOptions,
    ...fieldOptions,
    ...lockOption,
  },
  async run(context, input) {
    const fields = readFieldChanges(input)
    let update = { title: input.title, body: await readBody(context, input), fields }
    if (update.title === undefined && update.body === undefined && fields.length === 0) {
      const [only, ...others] = input.issue
      if (!context.text.interactive || only === undefined || others.length > 0) {
        throw new InvalidArgsError('nothing to change: give at least one of --title, --body, --body-file or a field', {
          details: { field: 'title' },
        })
      }
      const view = await (await context.repository()).view()
      const state = await view.findIssue(await resolveIssue(view, only))
      const draft = state === undefined ? '' : `${currentTitle(state)}\n\n${currentBody(state)}`
      const [title = '', ...rest] = ((await context.text.editText(draft)) ?? draft).trim().split(/\r?\n/)
      update = { title, body: rest.join('\n').trim(), fields }
    }
    if (update.title !== undefined) requireTitle(update.title)
    return changeIssues(
      context,
      input.issue,
      (draft, id) => updateIssue(draft, id, update),
      { action: 'updated' },
      input,
    )
  },
})

export type IssueUpdateInput = GivenInput<typeof issueUpdate>
export type IssueUpdateData = DataOf<typeof issueUpdate>
