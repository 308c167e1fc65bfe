import { currentBody, currentTitle, InvalidArgsError, requireTitle } from '../../model/index.ts'
import type { CommandContext } from '../../tracker/effects.ts'
import { readAssigneeWords } from '../../tracker/issues/assignee-words.ts'
import { updateIssue } from '../../tracker/issues/changes.ts'
import { requireLabelChanges } from '../../tracker/issues/field-values.ts'
import { resolveIssue } from '../../tracker/issues/resolve-issue.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { lockOption } from '../lock/lock-option.ts'
import { changeIssues } from './change-command.ts'
import { bodyOptions, fieldOptions, readBody, readFieldChanges } from './issue-input.ts'

export const issueUpdate = defineCommand({
  name: 'issue update',
  summary: 'Change title, text, labels, people or fields of issues',
  description:
    'All changes are one commit. --assignee adds people and --unassign removes them; `me` is you, `--assignee none` or ' +
    '`--unassign all` removes everybody, and `--unassign all --assignee ann` leaves only ann. Days such as friday or 1mo ' +
    'are counted from today in your time zone. On a terminal, with only an id, opens your editor with the current title ' +
    'and text; `grite edit` also has the fields.',
  examples: [
    { command: 'grite issue update 3f2a91c --title "Crash on first start"', explains: 'a better title' },
    { command: 'grite issue update 3f2a91c --priority P0 --due friday --status review', explains: 'set fields' },
    {
      command: 'grite issue update 3f2a91c 77bc01d --add-label ui --assignee me',
      explains: 'labels and people of two issues',
    },
    { command: 'grite issue update 3f2a91c --set milestone=', explains: 'clear a field' },
  ],
  served: true,
  effect: 'sets',
  arguments: {
    issue: { summary: 'Issue id, a unique prefix of it, or an imported id', repeatable: true, completes: 'issue' },
  },
  options: {
    title: { type: 'text', valueName: 'text', summary: 'New title' },
    ...bodyOptions,
    'add-label': {
      type: 'text',
      valueName: 'label',
      summary: 'Add a label',
      repeatable: true,
      short: 'l',
      aliases: ['label'],
      completes: 'label',
    },
    'remove-label': {
      type: 'text',
      valueName: 'label',
      summary: 'Remove a label',
      repeatable: true,
      completes: 'label',
    },
    assignee: {
      type: 'text',
      valueName: 'user',
      summary: 'Assign this user, or `me`; `none` unassigns everybody',
      repeatable: true,
      short: 'a',
      completes: 'assignee',
    },
    unassign: {
      type: 'text',
      valueName: 'user',
      summary: 'Unassign this user, `me`, or `all`',
      repeatable: true,
      completes: 'assignee',
    },
    ...fieldOptions,
    ...lockOption,
  },
  async run(context, input) {
    const fields = readFieldChanges(input, context.clock)
    const labels = { add: input.addLabel, remove: input.removeLabel }
    requireLabelChanges(labels, fields)
    const text = { title: input.title, body: await readBody(context, input) }
    const isText = text.title !== undefined || text.body !== undefined
    const others = [fields, input.addLabel, input.removeLabel, input.assignee, input.unassign]
    const written = isText || others.some(({ length }) => length > 0) ? text : await writeText(context, input.issue)
    const people = { assign: input.assignee, unassign: input.unassign }
    const assignees = await readAssigneeWords(context.repository, people)
    const update = { ...written, fields, labels, assignees }
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

/** Asks for title and text of one issue in the editor. What was left as it is stays, with its white space and line ends. */
async function writeText(context: CommandContext, typed: readonly string[]) {
  const [only, ...others] = typed
  if (!context.text.interactive || only === undefined || others.length > 0) {
    throw new InvalidArgsError(
      'nothing to change: give at least one of --title, --body, --body-file, --add-label, --remove-label, --assignee, ' +
        '--unassign or a field such as --status',
      { details: { field: 'title' } },
    )
  }
  const view = await (await context.repository()).view()
  const state = await view.findIssue(await resolveIssue(view, only))
  const draft = state === undefined ? '' : `${currentTitle(state)}\n\n${currentBody(state)}`
  const before = readText(draft)
  const after = readText((await context.text.editText(draft)) ?? draft)
  return {
    title: after.title === before.title ? undefined : after.title,
    body: after.body === before.body ? undefined : after.body,
  }
}

function readText(text: string): { readonly title: string; readonly body: string } {
  const [title = '', ...rest] = text.trim().split(/\r?\n/)
  return { title, body: rest.join('\n').trim() }
}

export type IssueUpdateInput = GivenInput<typeof issueUpdate>
export type IssueUpdateData = DataOf<typeof issueUpdate>
