import type { IssueClaimData, IssueUnclaimData } from '../../commands/issue/claim.ts'
import type { IssueCloseData } from '../../commands/issue/state.ts'
import { describeNoneReady } from '../../tracker/claims/why-none.ts'
import { escapeLine } from './escape-for-terminal.ts'
import { renderIssueClose } from './issue-change.ts'
import { shortId } from './issue-shapes.ts'
import { formatSpan, placeOf } from './lock.ts'
import type { Renderer, RenderView } from './renderer.ts'

export const renderClaim: Renderer<IssueClaimData> = (data, view) => (view.quiet ? '' : claimLine(data, view))

/** `Claimed 3f2a91c Crash on start for 1 h, in this clone (bo’s claim had ended)` */
function claimLine(data: IssueClaimData, { style }: RenderView): string {
  const verb = style.good(data.outcome === 'renewed' ? 'Renewed' : 'Claimed')
  const before = data.removed_assignees.map(escapeLine).join(', ')
  const instead = before === '' ? '' : ` (instead of ${before}, whose claim had ended)`
  return `${verb} ${nameOf(data, style)} for ${formatSpan(data.ttl_seconds)}, ${placeOf(data)}${instead}\n`
}

export const renderClosed: Renderer<IssueCloseData> = async (data, view) => {
  const closed = await renderIssueClose(data, view)
  if (view.quiet) return closed
  const sent = data.sent === true ? `Pushed to ${escapeLine(data.remote ?? '')}\n` : ''
  // A warning has already reported the failure.
  if (data.claimed === undefined || data.claim_failed === true) return closed + sent
  return closed + sent + (data.claimed === null ? nothingLine(data) : claimLine(data.claimed, view))
}

function nothingLine({ not_claimed }: IssueCloseData): string {
  const why = not_claimed === undefined ? '' : `: ${describeNoneReady(not_claimed, []).message}`
  return `Nothing to claim${why}\n`
}

export const renderUnclaim: Renderer<IssueUnclaimData> = (data, { quiet, style }) => {
  if (quiet) return ''
  if (data.outcome === 'unchanged') return `Nothing to release: you have not claimed ${nameOf(data, style)}\n`
  return `${style.good('Released')} ${nameOf(data, style)}\n`
}

function nameOf(issue: Pick<IssueClaimData, 'issue_id' | 'short_id' | 'title'>, style: RenderView['style']): string {
  return `${style.accent(escapeLine(shortId(issue)))} ${escapeLine(issue.title)}`
}
