import { describeEdges, describeIssues, type MentionedIssue } from '../../tracker/issues/describe-issues.ts'
import { resolveIssue } from '../../tracker/issues/resolve-issue.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { headerOption } from '../header-option.ts'

export const issueDepList = defineCommand({
  name: 'issue dep list',
  summary: 'List the dependencies of an issue',
  description: 'Lists the edges from the issue; with --reverse, the edges from other issues to it.',
  examples: [
    { command: 'grite issue dep list 3f2a91c', explains: 'what it depends on, blocks or is related to' },
    {
      command: 'grite issue dep list 3f2a91c --reverse',
      explains: 'what depends on it, blocks it or is related to it',
    },
  ],
  served: true,
  isKept: true,
  effect: 'reads',
  arguments: { issue: { summary: 'Issue id, a unique prefix of it, or an imported id', completes: 'issue' } },
  options: { reverse: { type: 'boolean', summary: 'List the edges from other issues to this one' }, ...headerOption },
  async run(context, input) {
    const view = await (await context.repository()).view()
    const issueId = await resolveIssue(view, input.issue)
    const edges = input.reverse ? await view.dependentsOf(issueId) : await view.dependenciesOf(issueId)
    const [issue] = (await describeIssues(view, [issueId])) as [MentionedIssue]
    return {
      data: {
        deps: await describeEdges(view, edges),
        direction: input.reverse ? 'dependents' : 'dependencies',
        ...issue,
      },
    }
  },
})

export type IssueDepListInput = GivenInput<typeof issueDepList>
export type IssueDepListData = DataOf<typeof issueDepList>
