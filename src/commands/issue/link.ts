import { addLink } from '../../tracker/issues/changes.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { lockOption } from '../lock/lock-option.ts'
import { changeIssue } from './change-command.ts'

export const issueLinkAdd = defineCommand({
  name: 'issue link add',
  summary: 'Add a link to an issue',
  examples: [
    {
      command: 'grite issue link add 3f2a91c --url https://example.com/42 --note "same report"',
      explains: 'with a note',
    },
  ],
  served: true,
  effect: 'sets',
  arguments: { issue: { summary: 'Issue id, a unique prefix of it, or an imported id', completes: 'issue' } },
  options: {
    url: { type: 'text', valueName: 'url', summary: 'Target of the link', required: true },
    note: { type: 'text', valueName: 'text', summary: 'Note about the link' },
    ...lockOption,
  },
  run: (context, { issue, url, note, lock }) =>
    changeIssue(
      context,
      issue,
      (draft, id) => addLink(draft, id, url, note ?? null),
      { action: 'link-added' },
      { lock },
    ),
})

export type IssueLinkAddInput = GivenInput<typeof issueLinkAdd>
export type IssueLinkAddData = DataOf<typeof issueLinkAdd>
