/** Why `claim --next` found no issue. */
import { isLeftOut, passes, readReadyQueue } from '../issues/ready-queue.ts'
import { readWork } from '../issues/work.ts'
import type { Workspace } from '../workspace.ts'

export type NoneReason = 'nothing_open' | 'nothing_matches' | 'all_taken' | 'all_blocked' | 'set_aside'

/** Counts of open issues to work on; with labels, of those that have them. */
export interface NoneReady {
  readonly reason: NoneReason
  readonly open_count: number
  /** Others hold them, or they are assigned to others. */
  readonly taken_count: number
  readonly blocked_count: number
  /** Deferred, or set aside by their status or by that of a parent. */
  readonly set_aside_count: number
}

/** The first reason that applies: an issue that others finish may unblock the blocked ones. */
export async function whyNoneReady(repository: Workspace, labels: readonly string[]): Promise<NoneReady> {
  const { openRows, heldUp: waiting } = await readWork(await repository.view())
  const open = openRows().map((row) => row.parse())
  const work = open.filter((row) => !isLeftOut(row, { labels }))
  const matching = work.filter((row) => passes(row, { labels }))
  const blocked = matching.filter(({ issue_id }) => waiting.has(issue_id)).length
  const { setAsideCount: setAside } = await readReadyQueue(repository, { labels })
  // All others are taken, or were taken while we tried.
  const taken = matching.length - blocked - setAside
  const counts = { open_count: matching.length, taken_count: taken, blocked_count: blocked, set_aside_count: setAside }
  return { reason: reasonOf(work.length, { taken, blocked, matching: matching.length }), ...counts }
}

function reasonOf(
  workCount: number,
  { taken, blocked, matching }: Readonly<Record<'taken' | 'blocked' | 'matching', number>>,
): NoneReason {
  if (workCount === 0) return 'nothing_open'
  if (matching === 0) return 'nothing_matches'
  if (taken > 0) return 'all_taken'
  return blocked > 0 ? 'all_blocked' : 'set_aside'
}

/** The reason in words, to follow `nothing to claim: `, and the next step. */
export function describeNoneReady(
  none: NoneReady,
  labels: readonly string[],
): { readonly message: string; readonly hint: string } {
  const which = labels.length === 0 ? 'open issue' : `open issue with ${labels.join(', ')}`
  const every = `every ${which} is ${none.reason === 'all_taken' ? 'taken or waits' : 'waiting'} (${counts(none)})`
  switch (none.reason) {
    case 'nothing_open':
      return { message: 'no open issue is left to work on', hint: '`grite issue create --title "…"` adds one' }
    case 'nothing_matches':
      return { message: `there is no ${which}`, hint: '`grite ready` lists the issues that are ready' }
    case 'all_taken':
      return { message: every, hint: 'Try again later; `grite lock status` shows who holds what, and until when' }
    case 'all_blocked':
      return { message: every, hint: '`grite blocked` shows what they wait for' }
    case 'set_aside':
      return {
        message: every,
        hint:
          "`grite search 'defer:>0d'` lists those that wait for a day, `grite ready --status deferred` and " +
          '`grite ready --status blocked` those with such a status',
      }
  }
}

function counts({ taken_count: taken, blocked_count: blocked, set_aside_count: aside }: NoneReady): string {
  const parts = [
    [taken, 'taken'],
    [blocked, 'blocked'],
    [aside, 'set aside'],
  ] as const
  return parts.flatMap(([count, word]) => (count === 0 ? [] : [`${count} ${word}`])).join(', ')
}
