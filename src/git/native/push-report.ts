/** What `git push --porcelain` reports: `<flag>\t<from>:<to>\t<summary> (<reason>)`, a line for each ref. */
import type { PushedRef, PushOutcome, PushUpdate } from '../remote-port.ts'

/**
 * Words by which git tells that a ref was not what the pusher thought, or was being updated by somebody else. On our
 * side: remote.c, set_ref_status_for_push(); on the other: receive-pack.c, update() and execute_commands_atomic(),
 * refs/files-backend.c, lock_ref_for_update().
 */
const lostRace =
  /non-fast-forward|fetch first|needs force|already exists|stale info|failed to (update|lock)|cannot lock|unable to lock|incorrect old value|is at [0-9a-f]+ but expected|reference (already exists|is missing)|did not report status|transaction/i
/** One of the others is why: send-pack.c, atomic_push_failure(); receive-pack.c. */
const collateral = /atomic/i

/** @returns a row for each update, in their order; one that git says nothing of counts as stale */
export function parsePushReport(text: string, updates: readonly PushUpdate[]): readonly PushedRef[] {
  const rows = new Map<string, { flag: string; summary: string }>()
  for (const line of text.split('\n')) {
    const [, flag = '', to = '', summary = ''] = /^([ +\-*!=])\t[^\t]*:([^\t:]+)\t(.*)$/.exec(line) ?? []
    if (to !== '') rows.set(to, { flag, summary })
  }
  const pushed = updates.map(({ ref }): PushedRef => {
    const { flag, summary } = rows.get(ref) ?? { flag: '!', summary: '(did not report status)' }
    if (flag !== '!') return { ref, outcome: flag === '=' ? 'up-to-date' : 'ok', reason: '' }
    const reason = /\((.*)\)$/s.exec(summary)?.[1] ?? summary
    return { ref, outcome: lostRace.test(reason) ? 'stale' : 'rejected', reason }
  })
  const isCollateral = ({ outcome, reason }: PushedRef) => outcome === 'rejected' && collateral.test(reason)
  const causes = pushed.filter((row) => row.outcome === 'rejected' && !isCollateral(row))
  const outcome: PushOutcome = causes.length > 0 ? 'rejected' : 'stale'
  return pushed.map((row) => (isCollateral(row) ? { ...row, outcome } : row))
}
