import {
  type EventId,
  IdParseError,
  InvalidArgsError,
  type IssueId,
  makeVisible,
  NotFoundError,
  shellCommand,
} from '../../model/index.ts'
import type { View } from '../../view/index.ts'

/** Candidates listed for an ambiguous prefix. */
const candidatesMax = 10

/**
 * The comment of an issue that has this id, or this unique beginning of one.
 * @throws {IdParseError} on text that is not hexadecimal
 * @throws {NotFoundError} when the issue has none
 * @throws {InvalidArgsError} when several begin so, with the candidates
 */
export async function resolveComment(view: View, issueId: IssueId, typed: string): Promise<EventId> {
  const details = { field: 'reply-to', value: typed }
  const prefix = typed.trim().toLowerCase()
  if (!/^[0-9a-f]{1,64}$/.test(prefix)) {
    throw new IdParseError(`'${makeVisible(typed)}' is no id of a comment: ids are hexadecimal`, { details })
  }
  const comments = (await view.eventsOf(issueId)).filter(({ body }) => body.type === 'CommentAdded')
  const found = comments.map(({ eventId }) => eventId).filter((eventId) => eventId.startsWith(prefix))
  const [only] = found
  if (only === undefined) {
    throw new NotFoundError(`issue ${issueId} has no comment ${prefix}`, {
      details,
      hints: [`\`${shellCommand('grite', 'issue', 'show', issueId.slice(0, 8))}\` shows its comments and their ids`],
    })
  }
  if (found.length === 1) return only
  const candidates = found.slice(0, candidatesMax)
  const more = found.length > candidates.length ? ' and more' : ''
  throw new InvalidArgsError(`comment '${prefix}' is ambiguous; it could be:\n  ${candidates.join('\n  ')}${more}`, {
    details: { ...details, candidates },
    hints: ['Give more characters'],
  })
}
