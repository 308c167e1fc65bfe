/**
 * Parts of a log that this clone lacks and others may have. A log with gaps is incomplete: its content is true, but
 * there may be more. Malformed objects are not gaps, because they are the same in every clone.
 */
import type { Oid } from '../git/index.ts'
import { type ErrorDetails, IncompleteLogError } from '../model/index.ts'

export interface LogGap {
  /** `shallow`: left out by a fetch with a depth. `corrupt`: the bytes stored here do not match the id. */
  readonly reason: 'shallow' | 'missing' | 'corrupt'
  /** `file`: a file beside the events, such as an attachment's content. */
  readonly kind: 'commit' | 'tree' | 'chunk' | 'file'
  /** The unreadable object. */
  readonly objectId: Oid
  /** The commit that needs it; the object itself when it is a commit of which only the id is known. */
  readonly commit: Oid
}

/** All gaps of a log: each is counted, the first ones are kept. */
export interface LogGaps {
  readonly gaps: readonly LogGap[]
  readonly count: number
}

export const noGaps: LogGaps = { gaps: [], count: 0 }

/** A log may lack any number of objects. */
const gapsKeptMax = 100
const gapsNamedMax = 20

/** Counts gaps while segments are read, each once. */
export class GapTally implements LogGaps {
  readonly gaps: LogGap[]
  count: number

  constructor({ gaps, count }: LogGaps = noGaps) {
    this.gaps = [...gaps]
    this.count = count
  }

  take(problems: readonly { readonly gap?: LogGap }[]): void {
    for (const { gap } of problems) if (gap !== undefined) this.add(gap)
  }

  add(gap: LogGap): void {
    if (this.gaps.some(({ objectId, commit }) => objectId === gap.objectId && commit === gap.commit)) return
    this.count += 1
    if (this.gaps.length < gapsKeptMax) this.gaps.push(gap)
  }
}

/** The `details` of an error or warning about gaps. */
export function detailsOfGaps({ gaps, count }: LogGaps): ErrorDetails {
  return { reason: 'log-incomplete', gap_count: count, gaps: gaps.slice(0, gapsNamedMax).map(describeGap) }
}

/** A gap in JSON form. */
export function describeGap({ reason, kind, objectId, commit }: LogGap) {
  return { reason, kind, object_id: objectId, commit }
}

/** The state of a log, to follow `the log`. */
export function describeGaps({ gaps, count }: LogGaps): string {
  const [first] = gaps
  if (first === undefined) return 'is complete'
  const others = count > 1 ? ` (and ${count - 1} more)` : ''
  const { reason, kind, objectId, commit } = first
  if (reason === 'shallow') return `is cut off before commit ${commit.slice(0, 12)} by a shallow fetch${others}`
  return `is incomplete here: ${kind} ${objectId} ${reason === 'missing' ? 'is missing' : 'cannot be read'}${others}`
}

/** The error of a command that needs the whole log. */
export function incompleteLog(consequence: string, found: LogGaps): IncompleteLogError {
  return new IncompleteLogError(`the log ${describeGaps(found)}; ${consequence}`, { details: detailsOfGaps(found) })
}
