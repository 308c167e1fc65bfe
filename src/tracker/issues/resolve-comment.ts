import {
  type ErrorDetails,
  type Event,
  type EventId,
  IdParseError,
  InvalidArgsError,
  type IssueId,
  limits,
  makeVisible,
  NotFoundError,
  shellCommand,
} from '../../model/index.ts'
import type { View } from '../../view/index.ts'
import { type CommentEvent, isComment } from './comment-overlays.ts'

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
  throw ambiguous(prefix, found, details)
}

function ambiguous(prefix: string, found: readonly EventId[], details: ErrorDetails): InvalidArgsError {
  const candidates = found.slice(0, candidatesMax)
  const more = found.length > candidates.length ? ' and more' : ''
  return new InvalidArgsError(`comment '${prefix}' is ambiguous; it could be:\n  ${candidates.join('\n  ')}${more}`, {
    details: { ...details, candidates },
    hints: ['Type more characters of the id'],
  })
}

/** Maximum number of events looked at for a prefix: about one in 16 is a comment in most logs. */
const eventsOfPrefixMax = 1024

/**
 * Resolves a comment of any issue by id, or by a prefix of at least four characters that is unique among comments.
 * @throws {IdParseError} on text that is not hexadecimal
 * @throws {NotFoundError} when there is no such comment, with a hint if it is the id of something else
 * @throws {InvalidArgsError} on a prefix that is too short, or when several comments match, with the candidates
 */
export async function findComment(view: View, typed: string): Promise<CommentEvent> {
  const details = { field: 'comment', value: typed }
  const prefix = typed.trim().toLowerCase()
  const shown = makeVisible(typed)
  const hints = [`\`${shellCommand('grite', 'issue', 'show')} <issue>\` shows the comments of an issue and their ids`]
  if (!/^[0-9a-f]+$/.test(prefix)) {
    throw new IdParseError(`'${shown}' is not a comment id: ids are hexadecimal`, { details, hints })
  }
  const lengthMin = limits.issueIdPrefixMin
  if (prefix.length < lengthMin) {
    throw new InvalidArgsError(`comment id '${shown}' is too short: at least ${lengthMin} characters are needed`, {
      details: { ...details, length_min: lengthMin },
      hints,
    })
  }
  const ids = prefix.length > 64 ? [] : await view.findEventIdsByPrefix(prefix, eventsOfPrefixMax)
  const events = await view.findEvents(ids)
  const comments = events.filter(isComment)
  const [only, ...others] = comments
  if (only === undefined) throw await noComment(view, shown, { prefix, events, hints })
  if (others.length === 0) return only
  throw ambiguous(
    prefix,
    comments.map(({ eventId }) => eventId),
    details,
  )
}

interface Missed {
  readonly prefix: string
  /** Events with the prefix. None is a comment. */
  readonly events: readonly Event[]
  readonly hints: readonly string[]
}

async function noComment(view: View, shown: string, { prefix, events, hints }: Missed): Promise<NotFoundError> {
  const details = { field: 'comment', value: shown }
  const [issue, ...others] = prefix.length > 32 ? [] : await view.findIdsByPrefix(prefix, 2)
  if (issue !== undefined && others.length === 0) {
    return new NotFoundError(`no comment has the id '${shown}'; it is the id of an issue`, {
      details: { ...details, issue_id: issue },
      hints: [
        `\`${shellCommand('grite', 'issue', 'show', issue.slice(0, 8))}\` shows the comments of this issue and their ids`,
      ],
    })
  }
  const [event] = events
  const what = event === undefined ? '' : `; event ${event.eventId.slice(0, 8)} is a ${event.body.type}`
  return new NotFoundError(`no comment has the id '${shown}'${what}`, { details, hints })
}
