import { escapeLine } from './escape-for-terminal.ts'
import { renderIssueClose } from './issue-change.ts'
import { type IssueChangeData, shortId } from './issue-shapes.ts'
import { formatSpan, placeOf } from './lock.ts'
import type { Renderer, RenderView } from './renderer.ts'

interface ClaimData {
  readonly issue_id: string
  readonly short_id: string
  readonly title: string
  readonly outcome: string
  readonly removed_assignees: readonly string[]
  readonly ttl_seconds: number
  readonly remote: string | null
}

export const renderClaim: Renderer<ClaimData> = (data, view) => (view.quiet ? '' : claimLine(data, view))

/** `Claimed 3f2a91c Crash on start for 1 h, in this clone (bo’s claim had ended)` */
function claimLine(data: ClaimData, { style }: RenderView): string {
  const verb = style.good(data.outcome === 'renewed' ? 'Renewed' : 'Claimed')
  const before = data.removed_assignees.map(escapeLine).join(', ')
  const instead = before === '' ? '' : ` (instead of ${before}, whose claim had ended)`
  return `${verb} ${nameOf(data, style)} for ${formatSpan(data.ttl_seconds)}, ${placeOf(data)}${instead}\n`
}

type CloseData = IssueChangeData & {
  readonly claimed?: ClaimData | null
  readonly claim_failed?: boolean
  readonly remote?: string
  readonly sent?: boolean
}

export const renderClosed: Renderer<CloseData> = async (data, view) => {
  const closed = await renderIssueClose(data, view)
  if (view.quiet) return closed
  const sent = data.sent === true ? `Sent to ${escapeLine(data.remote ?? '')}\n` : ''
  // A warning has said what failed.
  if (data.claimed === undefined || data.claim_failed === true) return closed + sent
  const next = data.claimed === null ? 'Nothing is ready to be claimed\n' : claimLine(data.claimed, view)
  return closed + sent + next
}

interface UnclaimData {
  readonly issue_id: string
  readonly short_id: string
  readonly title: string
  readonly outcome: string
}

export const renderUnclaim: Renderer<UnclaimData> = (data, { quiet, style }) => {
  if (quiet) return ''
  if (data.outcome === 'unchanged') return `Nothing to give back: you have not claimed ${nameOf(data, style)}\n`
  return `${style.good('Gave back')} ${nameOf(data, style)}\n`
}

function nameOf(issue: UnclaimData, style: RenderView['style']): string {
  return `${style.accent(escapeLine(shortId(issue)))} ${escapeLine(issue.title)}`
}
