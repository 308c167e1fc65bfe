/** `db check` and `db verify`: one sentence, followed by one line per problem. */
import type { DbCheckData } from '../../commands/db/check.ts'
import type { DbVerifyData } from '../../commands/db/verify.ts'
import { escapeLine } from './escape-for-terminal.ts'
import { formatCount, formatNumber } from './facts.ts'
import { shorten } from './issue-shapes.ts'
import type { Renderer, RenderView } from './renderer.ts'

type CheckError = DbCheckData['errors'][number]

/** Further errors are counted, not printed; `--json` lists more of them. */
const errorsShownMax = 50

export const renderDbCheck: Renderer<DbCheckData> = (data, view) => {
  const { error_count, errors } = data
  const { quiet } = view
  const verdict = verdictOfCheck(data, view)
  const lines = errors.map((each) => `${placeOf(each)}: ${escapeLine(each.error)}${noteOf(each)}`)
  return (quiet && error_count === 0 ? '' : verdict) + listErrors(lines, error_count)
}

function verdictOfCheck({ events_checked, corrupt_count, gap_count }: DbCheckData, { style }: RenderView): string {
  const checked = `${formatCount(events_checked, 'event')} checked`
  if (corrupt_count + gap_count === 0) return `${style.good('The log is sound')}: ${checked}.\n`
  const gaps = `${formatCount(gap_count, 'part')} missing here`
  if (gap_count >= corrupt_count) return `${style.bad('The log is incomplete')}: ${gaps}, ${checked}.\n`
  const places = formatCount(corrupt_count - gap_count, 'place')
  const damaged = gap_count === 0 ? places : `${places}, ${gaps}`
  return `${style.bad('The log is damaged')}: ${damaged}, ${checked}. The rest is usable.\n`
}

function placeOf({ event_id, object_id, commit }: CheckError): string {
  const what = event_id !== null ? `event ${event_id}` : object_id !== null ? `object ${object_id}` : 'the log'
  return escapeLine(commit === null ? what : `${what} in commit ${shorten(commit)}`)
}

const noteOf = ({ severity }: CheckError) => (severity === 'damaged' ? '' : ` (${escapeLine(severity)}, but used)`)

function listErrors(lines: readonly string[], count: number): string {
  const shown = lines.slice(0, errorsShownMax).map((line) => `  ${line}\n`)
  const rest = count - shown.length
  return shown.join('') + (rest > 0 ? `  and ${formatNumber(rest)} more\n` : '')
}

export const renderDbVerify: Renderer<DbVerifyData> = (data, view) => {
  const lines = data.errors.map(
    ({ event_id, actor_id, error }) =>
      `event ${escapeLine(event_id)} of actor ${escapeLine(shorten(actor_id))}: ${escapeLine(error)}`,
  )
  const signatures = view.quiet && data.error_count === 0 ? '' : verdictOf(data, view)
  return signatures + listErrors(lines, data.error_count) + listCards(data, view)
}

function listCards({ card_problem_count, card_problems }: DbVerifyData, { style }: RenderView): string {
  if (card_problem_count === 0) return ''
  const heading = `${style.attention('Invalid')}: ${formatCount(card_problem_count, 'actor card')}\n`
  const lines = card_problems.map(({ actor, event_id, reason }) => {
    const event = event_id === null ? '' : `, event ${escapeLine(event_id)}`
    return `actor ${escapeLine(shorten(actor))}${event}: ${escapeLine(reason)}`
  })
  return heading + listErrors(lines, card_problem_count)
}

function verdictOf(data: DbVerifyData, { style }: RenderView): string {
  const { signatures_checked, signatures_valid, unsigned_count, error_count } = data
  if (signatures_checked === 0 && error_count === 0)
    return `No event is signed: ${formatCount(unsigned_count, 'event')} checked.\n`
  const valid = `${formatNumber(signatures_valid)} of ${formatCount(signatures_checked, 'signature')} verified`
  const unsigned = unsigned_count === 0 ? '' : `; ${formatCount(unsigned_count, 'event is', 'events are')} not signed`
  const verdict = error_count === 0 ? style.good('Signatures are valid') : style.bad('Some signatures are bad')
  return `${verdict}: ${valid}${unsigned}.\n`
}
