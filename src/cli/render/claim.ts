import type { IssueClaimData, IssueUnclaimData } from '../../commands/issue/claim.ts'
import type { IssueCloseData } from '../../commands/issue/state.ts'
import { shellCommand } from '../../model/index.ts'
import { describeNoneReady } from '../../tracker/claims/why-none.ts'
import { escapeLine, escapeText } from './escape-for-terminal.ts'
import { formatCount } from './facts.ts'
import { renderIssueClose } from './issue-change.ts'
import { shortId } from './issue-shapes.ts'
import { formatSpan, placeOf } from './lock.ts'
import { formatMinute } from './relative-time.ts'
import type { Renderer, RenderView } from './renderer.ts'

export const renderClaim: Renderer<IssueClaimData> = (data, view) =>
  view.quiet ? '' : claimLine(data, view) + formatBrief(data, view)

/** `Claimed 3f2a91c Crash on start for 1 h, in this clone (bo’s claim had ended)` */
function claimLine(data: IssueClaimData, { style }: RenderView): string {
  const verb = style.good(data.outcome === 'renewed' ? 'Renewed' : 'Claimed')
  const before = data.removed_assignees.map(escapeLine).join(', ')
  const instead = before === '' ? '' : ` (instead of ${before}, whose claim had ended)`
  return `${verb} ${nameOf(data, style)} for ${formatSpan(data.ttl_seconds)}, ${placeOf(data)}${instead}\n`
}

type Brief = NonNullable<IssueClaimData['issue']>

/** The text of the issue, its relations and last comments, each after an empty line. */
function formatBrief({ issue, issue_id, short_id }: IssueClaimData, view: RenderView): string {
  if (issue === undefined) return ''
  const { style } = view
  const labels = issue.labels.filter((label) => !label.startsWith('parent:'))
  const parts = [
    labels.length === 0 ? '' : `${style.dim('Labels:')} ${escapeLine(labels.join(', '))}\n`,
    // Indented, so that no text of others looks like ours.
    issue.body === '' ? '' : `${indent(issue.body)}\n`,
    formatMentions(issue, view),
    ...issue.comments.map((comment) => formatComment(comment, view)),
    ...issue.memories.map(({ key, text }) => `${style.dim('Memory:')} ${escapeLine(key)}\n${indent(text)}\n`),
    formatLeftOut(issue.left_out, shortId({ issue_id, short_id })),
  ]
  return parts.flatMap((part) => (part === '' ? [] : `\n${part}`)).join('')
}

function formatMentions({ parent, depends_on, needed_by, related_to }: Brief, { style }: RenderView): string {
  const lines = [
    ['Part of', parent === null ? [] : [parent]],
    ['Depends on', depends_on],
    ['Needed by', needed_by],
    ['Related to', related_to],
  ] as const
  return lines
    .flatMap(([heading, mentions]) =>
      mentions.map(({ short_id, title, state }) => {
        const note = state === null ? '' : ` ${style.dim(`(${state})`)}`
        return `${style.dim(`${heading}:`)} ${style.accent(escapeLine(short_id))} ${escapeLine(title)}${note}\n`
      }),
    )
    .join('')
}

function formatComment({ by, ts_unix_ms, body }: Brief['comments'][number], { style }: RenderView): string {
  return `${style.bold(escapeLine(by))} ${style.dim(formatMinute(ts_unix_ms))}\n${indent(body)}\n`
}

const indent = (text: string): string => escapeText(text).replace(/^(?=.)/gm, '  ')

function formatLeftOut({ characters, comments, issues, memories }: Brief['left_out'], id: string): string {
  const parts = [
    ...(characters === 0 ? [] : [formatCount(characters, 'character')]),
    ...(comments === 0 ? [] : [formatCount(comments, 'comment')]),
    ...(issues === 0 ? [] : [formatCount(issues, 'issue')]),
  ]
  const show = shellCommand('grite', 'issue', 'show', id)
  const rest = parts.length === 0 ? '' : `Not shown: ${parts.join(', ')}. \`${show}\` shows all.\n`
  const more = formatCount(memories, 'more memory', 'more memories')
  return memories === 0 ? rest : `${rest}${more}: \`${shellCommand('grite', 'recall', '--about', id)}\`\n`
}

export const renderClosed: Renderer<IssueCloseData> = async (data, view) => {
  const closed = await renderIssueClose(data, view)
  if (view.quiet) return closed
  const sent = data.sent === true ? `Pushed to ${escapeLine(data.remote ?? '')}\n` : ''
  // A warning has already reported the failure.
  if (data.claimed === undefined || data.claim_failed === true) return closed + sent
  return (
    closed +
    sent +
    (data.claimed === null ? nothingLine(data) : claimLine(data.claimed, view) + formatBrief(data.claimed, view))
  )
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
