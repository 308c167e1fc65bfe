import { defineCommand } from './define-command.ts'

export const rebuild = defineCommand({
  name: 'rebuild',
  summary: 'Make the view anew from the log',
  description: 'The view is only a cache: nothing is lost by this, and nothing but speed is gained by keeping it.',
  examples: [{ command: 'grite rebuild', explains: 'read the whole log again' }],
  isBulk: true,
  arguments: {},
  options: {},
  async run(context) {
    const repository = await context.repository()
    const view = await repository.rebuild()
    return {
      data: {
        wal_head: view.head,
        event_count: view.eventCount,
        issue_count: view.issueCount,
        from_snapshot: null,
        snapshot_events: null,
      },
    }
  },
})
