import type { Event } from '../../model/index.ts'
import { issueCodec, type LogProblem, readLog, walRef } from '../../wal/index.ts'
import { defineCommand } from '../define-command.ts'

export const dbCheck = defineCommand({
  name: 'db check',
  summary: 'Check every event of the log against its id',
  description: 'Reads the log itself, not the view. Exit status 1 when anything is damaged.',
  examples: [{ command: 'grite db check', explains: 'is the log sound?' }],
  arguments: {},
  options: {
    'verify-parents': { type: 'boolean', summary: 'Also check that replies name a comment of the same issue' },
  },
  async run(context, { verifyParents }) {
    const repository = await context.repository()
    const head = await repository.git.readRef(walRef)
    const progress = context.progress('Checking the log')
    const problems: LogProblem[] = []
    const issueOf = new Map<string, string>()
    const replies: Event[] = []
    let checked = 0
    if (head !== null) {
      for await (const segments of readLog(repository.git, issueCodec, { head })) {
        for (const segment of segments) {
          problems.push(...segment.problems)
          checked += segment.items.length
          if (!verifyParents) continue
          for (const { event } of segment.items) {
            issueOf.set(event.eventId, event.issueId)
            if (event.parent !== null) replies.push(event)
          }
        }
        progress.report(checked, null)
      }
    }
    progress.end()
    const errors = [
      ...problems.map(({ commit, objectId, eventId, severity, reason }) => ({
        event_id: eventId,
        issue_id: null,
        commit,
        object_id: objectId,
        severity,
        error: reason,
      })),
      ...replies
        .filter((event) => issueOf.get(event.parent as string) !== event.issueId)
        .map((event) => ({
          event_id: event.eventId,
          issue_id: event.issueId,
          commit: null,
          object_id: null,
          severity: 'damaged' as const,
          error: `parent ${event.parent} is not an event of the same issue`,
        })),
    ]
    const corrupt = errors.filter(({ severity }) => severity === 'damaged').length
    return {
      data: {
        events_checked: checked + corrupt,
        events_valid: checked,
        corrupt_count: corrupt,
        errors,
        wal_head: head,
      },
      exitStatus: corrupt > 0 ? 1 : 0,
    }
  },
})
