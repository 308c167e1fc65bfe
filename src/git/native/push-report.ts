/** Parses the report of `git push --porcelain`: `<flag>\t<from>:<to>\t<summary> (<reason>)`, one line per ref. */
import type { PushedRef, PushOutcome, PushUpdate } from '../remote-port.ts'

/**
 * git's messages for a ref that differed from the pusher's expectation, or that another process was updating. On our
 * side: remote.c, set_ref_status_for_push(); on the other: receive-pack.c, update() and execute_commands_atomic(),
 * refs/files-backend.c, lock_ref_for_update().
 */
const lostRace =
  /non-fast-forward|fetch first|needs force|already exists|stale info|failed to (update|lock)|cannot lock|unable to lock|incorrect old value|is at [0-9a-f]+ but expected|reference (already exists|is missing)|did not report status|transaction/i
/** Another ref is the cause: send-pack.c, atomic_push_failure(); receive-pack.c. */
const collateral = /atomic/i

/** Whether git reports the outcome of any ref. */
export function isPushReport(text: string): boolean {
  return text.split('\n').some((line) => rowPattern.test(line))
}

const rowPattern = /^([ +\-*!=])\t[^\t]*:([^\t:]+)\t(.*)$/

/** @returns one row per update, in their order; a ref that git does not report counts as stale */
export function parsePushReport(text: string, updates: readonly PushUpdate[]): readonly PushedRef[] {
  const rows = new Map<string, Row[]>()
  for (const line of text.split('\n')) {
    const [, flag = '', to = '', summary = ''] = rowPattern.exec(line) ?? []
    if (to !== '') rows.set(to, [...(rows.get(to) ?? []), judge(flag, summary)])
  }
  const pushed = updates.map(({ ref }) => ({ ref, ...joinRows(rows.get(ref) ?? [silence]) }))
  const isCollateral = ({ outcome, reason }: PushedRef) => outcome === 'rejected' && collateral.test(reason)
  const causes = pushed.filter((row) => row.outcome === 'rejected' && !isCollateral(row))
  const outcome: PushOutcome = causes.length > 0 ? 'rejected' : 'stale'
  return pushed.map((row) => (isCollateral(row) ? { ...row, outcome } : row))
}

/** The first of `findCauses`; undefined without a ref with that outcome. */
export function findCause(pushed: readonly PushedRef[], outcome: PushOutcome): PushedRef | undefined {
  return findCauses(pushed, outcome)[0]
}

/**
 * Of the pushed refs with one outcome, those that state a cause; where none does, the first. The others have failed because
 * of them.
 */
export function findCauses(pushed: readonly PushedRef[], outcome: PushOutcome): readonly PushedRef[] {
  const rows = pushed.filter((row) => row.outcome === outcome)
  const causes = rows.filter(({ reason }) => !collateral.test(reason))
  return causes.length > 0 ? causes : rows.slice(0, 1)
}

type Row = Omit<PushedRef, 'ref'>

const silence: Row = { outcome: 'stale', reason: 'did not report status' }

function judge(flag: string, summary: string): Row {
  if (flag !== '!') return { outcome: flag === '=' ? 'up-to-date' : 'ok', reason: '' }
  const reason = /\((.*)\)$/s.exec(summary)?.[1] ?? summary
  return { outcome: lostRace.test(reason) ? 'stale' : 'rejected', reason }
}

/**
 * A remote with several URLs reports once for each. Where one URL accepted the push, fetching from the remote does not
 * repair another.
 */
function joinRows(rows: readonly Row[]): Row {
  const refused = rows.filter(({ outcome }) => outcome === 'stale' || outcome === 'rejected')
  const [first] = refused
  if (first === undefined) return rows.find(({ outcome }) => outcome === 'ok') ?? (rows[0] as Row)
  if (refused.length === rows.length) return refused.find(({ outcome }) => outcome === 'rejected') ?? first
  return { outcome: 'rejected', reason: `${refused.length} of ${rows.length} URLs: ${first.reason}` }
}
