/** The columns of a board: statuses in the order in which work moves through them. */
import { compareText } from './compare.ts'
import type { Fields } from './fields.ts'

/** The status of an issue without one. */
const statusDefault = 'open'

/** Known statuses in order; `In Progress`, `in-progress` and `in_progress` have the same place. */
const knownStatuses = [
  'open',
  'backlog',
  'todo',
  'next',
  'ready',
  'inprogress',
  'doing',
  'started',
  'review',
  'inreview',
  'testing',
  'blocked',
  'deferred',
  'done',
]

export function statusOf({ status }: Fields): string {
  return status ?? statusDefault
}

/** Known statuses first, then others by name. */
export function compareStatuses(left: string, right: string): number {
  return placeOf(left) - placeOf(right) || compareText(left, right)
}

function placeOf(status: string): number {
  const place = knownStatuses.indexOf(status.toLowerCase().replaceAll(/[-_ ]/g, ''))
  return place < 0 ? knownStatuses.length : place
}
