import { hydrator } from '../../git/index.ts'
import type { Event } from '../../model/index.ts'
import { ProblemTally } from '../../tracker/problem-tally.ts'
import { describeGap, GapTally, issueLog, readLog, walRef } from '../../wal/index.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'

/** Further errors are counted but not listed. */
const errorsListedMax = 10_000

export const dbCheck = defineCommand({
  name: 'db check',
  summary: 'Verify the id of every event in the log',
  description: 'Reads the log itself, not the view. Exits 1 if any part of it is damaged, or missing in this clone.',
  examples: [{ command: 'grite db check', explains: 'check the whole log' }],
  effect: 'reads',
  arguments: {},
  options: {
    'verify-parents': { type: 'boolean', summary: 'Also check that every reply refers to a comment of the same issue' },
  },
  async run(context, { verifyParents }) {
    const repository = await context.repository()
    const head = await repository.git.readRef(walRef)
    if (head !== null) await hydrator(repository)?.(head, [])
    const progress = context.progress('Checking the log')
    const tally = new ProblemTally(errorsListedMax)
    const gaps = new GapTally()
    const issueOf = new Map<string, string>()
    const replies: Pick<Event, 'eventId' | 'issueId' | 'parent'>[] = []
    let checked = 0
    if (head !== null) {
      for await (const segments of readLog(repository.git, issueLog, { head })) {
        for (const segment of segments) {
          tally.take(segment.problems)
          gaps.take(segment.problems)
          checked += segment.items.length
          if (!verifyParents) continue
          for (const { event } of segment.items) {
            const { eventId, issueId, parent } = event
            issueOf.set(eventId, issueId)
            if (parent !== null) replies.push({ eventId, issueId, parent })
          }
        }
        progress.report(checked, null)
      }
    }
    progress.end()
    // From now on every command reports the gaps, whatever the view recorded before.
    if (gaps.count > 0) await repository.changeView((view) => view.noteGaps(gaps))
    const strays = replies.filter(({ issueId, parent }) => issueOf.get(parent as string) !== issueId)
    const errors = [
      ...tally.problems.map(({ commit, objectId, eventId, severity, reason }) => ({
        event_id: eventId,
        issue_id: null,
        commit,
        object_id: objectId,
        severity,
        error: reason,
      })),
      ...strays.slice(0, errorsListedMax - tally.problems.length).map(({ eventId, issueId, parent }) => ({
        event_id: eventId,
        issue_id: issueId,
        commit: null,
        object_id: null,
        severity: 'damaged' as const,
        error: `its parent ${parent} is not an event of the same issue`,
      })),
    ]
    const corrupt = tally.damagedCount + strays.length
    return {
      data: {
        // Gaps are not counted: a gap may hide any number of events.
        events_checked: checked + Math.max(0, corrupt - gaps.count),
        events_valid: checked,
        corrupt_count: corrupt,
        error_count: tally.problemCount + strays.length,
        errors,
        gap_count: gaps.count,
        gaps: gaps.gaps.map(describeGap),
        wal_head: head,
      },
      exitStatus: corrupt + gaps.count > 0 ? 1 : 0,
    }
  },
})

export type DbCheckInput = GivenInput<typeof dbCheck>
export type DbCheckData = DataOf<typeof dbCheck>
