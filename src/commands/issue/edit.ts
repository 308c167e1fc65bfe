import { InternalError, InvalidArgsError, shellCommand } from '../../model/index.ts'
import type { CommandContext } from '../../tracker/effects.ts'
import { readAssigneeWords } from '../../tracker/issues/assignee-words.ts'
import { atLine } from '../../tracker/issues/at-line.ts'
import { changeState, updateIssue } from '../../tracker/issues/changes.ts'
import { checkPartsAndParents } from '../../tracker/issues/children.ts'
import { type DocumentEdit, formatForEditor, readEditedDocument } from '../../tracker/issues/edit-document.ts'
import { resolveIssue } from '../../tracker/issues/resolve-issue.ts'
import { localDay } from '../../tracker/parse-time.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { lockOption } from '../lock/lock-option.ts'
import { changeIssue } from './change-command.ts'

export const issueEdit = defineCommand({
  name: 'issue edit',
  shortForms: ['edit'],
  summary: 'Edit title, text and fields of an issue in your editor',
  description:
    'Opens one text with the fields between two lines `---`, then the title, an empty line, and the text of the issue. All ' +
    'that you change becomes one commit; a deleted line leaves its field as it is. An error names the line and keeps your ' +
    'text. Needs a terminal; scripts use `grite issue update`.',
  examples: [
    { command: 'grite edit 3f2a91c', explains: 'open the editor of git: GIT_EDITOR, VISUAL, EDITOR or vi' },
    { command: "EDITOR='code --wait' grite edit 3f2a91c", explains: 'open another editor' },
  ],
  served: true,
  effect: 'adds',
  cliOnly: true,
  arguments: {
    issue: { summary: 'Issue id, a unique prefix of it, or an imported id', completes: 'issue' },
  },
  options: lockOption,
  async run(context, input) {
    if (!context.text.interactive) {
      throw new InvalidArgsError('`grite issue edit` needs a terminal', {
        hints: [
          `Change an issue without an editor: \`${shellCommand('grite', 'issue', 'update', input.issue)} --title …\``,
        ],
      })
    }
    const repository = await context.repository()
    const view = await repository.view()
    const issueId = await resolveIssue(view, input.issue)
    const state = await view.findIssue(issueId)
    if (state === undefined) throw new InternalError(`issue ${issueId} is listed but has no state`)
    const given = await formatForEditor(view, state)
    const edited = await context.text.editText(given)
    if (edited === undefined) throw new InvalidArgsError('the text is empty; nothing was changed')
    const edit = readEditedDocument(given, edited, localDay(context.clock))
    const fields = await resolveParent(context, edit)
    const assignees = await readAssigneeWords(context.repository, edit)
    const changed = await changeIssue(
      context,
      issueId,
      async (draft, id) => [
        ...(await updateIssue(draft, id, { ...edit.update, fields, assignees })),
        ...(edit.state === undefined ? [] : await changeState(draft, id, edit.state)),
      ],
      { action: 'edited' },
      input,
    )
    if (edit.state === 'closed') await checkPartsAndParents(context, changed.data)
    return changed
  },
})

export type IssueEditInput = GivenInput<typeof issueEdit>
export type IssueEditData = DataOf<typeof issueEdit>

/** The fields with the full id of the parent. @throws {InvalidArgsError} @throws {NotFoundError} naming its line */
async function resolveParent(context: CommandContext, { update, lineOf }: DocumentEdit) {
  const parent = update.fields.find(({ key, value }) => key === 'parent' && value !== '')
  if (parent === undefined) return update.fields
  const view = await (await context.repository()).view()
  const value = await resolveIssue(view, parent.value).catch((error: unknown) => {
    throw atLine(lineOf.parent ?? 1, error)
  })
  return update.fields.map((field) => (field === parent ? { ...parent, value } : field))
}
