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

/** Maximum number of candidates listed for an ambiguous prefix. */
const candidatesMax = 10

/**
 * Resolves a comment of an issue by id or unique prefix.
 * @throws {IdParseError} on text that is not hexadecimal
 * @throws {NotFoundError} when the issue has no such comment
 * @throws {InvalidArgsError} when several comments match, with the candidates
 */
export async function resolveComment(view: View, issueId: IssueId, typed: string): Promise<EventId> {
  const details = { field: 'reply-to', value: typed }
  const prefix = typed.trim().toLowerCase()
  if (!/^[0-9a-f]{1,64}$/.test(prefix)) {
    throw new IdParseError(`'${makeVisible(typed)}' is not a comment id: ids are hexadecimal`, { details })
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
    hints: ['Type more characters of the id'],
  })
}
