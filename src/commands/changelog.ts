import { type DataOf, defineCommand, type GivenInput } from './define-command.ts'

export const changelog = defineCommand({
  name: 'changelog',
  summary: 'List closed issues as Markdown for a release page',
  description:
    'Groups the issues that were closed in a span of time by their type. Without --since it begins after the newest tag that ' +
    'is reachable from HEAD, or from the commit of --until; without any tag it lists all. A tag, a branch or a commit counts ' +
    'by its commit date. An issue that was reopened is left out, and one that was closed again counts by its last closing.',
  examples: [
    { command: 'grite changelog', explains: 'since the newest tag' },
    { command: 'grite changelog --since v1.0 --until v1.1 > notes.md', explains: 'between two tags' },
    { command: 'grite changelog --since 2026-03-01 --json', explains: 'since a day, for a script' },
  ],
  effect: 'reads',
  arguments: {},
  options: {
    since: {
      type: 'text',
      valueName: 'tag|commit|date|7d',
      summary: 'Only issues closed after this; default the newest tag',
    },
    until: { type: 'text', valueName: 'tag|commit|date|7d', summary: 'Only issues closed up to this; default now' },
  },
  async run(context, input) {
    const { readBounds } = await import('../tracker/changelog/bounds.ts')
    const { groupByType, listClosedIssues } = await import('../tracker/changelog/closed-issues.ts')
    const repository = await context.repository()
    const { since, until, holds } = await readBounds(repository, input, context.clock.nowUnixMs())
    const view = await repository.view()
    const { warnIfNoLog } = await import('../tracker/sync/no-log.ts')
    await warnIfNoLog(context, repository, view)
    const issues = await listClosedIssues(view, holds)
    return { data: { since, until, groups: groupByType(issues), total: issues.length, wal_head: view.head } }
  },
})

export type ChangelogInput = GivenInput<typeof changelog>
export type ChangelogData = DataOf<typeof changelog>
