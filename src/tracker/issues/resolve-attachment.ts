import {
  type Event,
  type EventBodyOf,
  InvalidArgsError,
  type IssueId,
  makeVisible,
  NotFoundError,
  shellCommand,
} from '../../model/index.ts'

export type Attachment = EventBodyOf<'AttachmentAdded'>

/** Maximum number of candidates listed for an ambiguous text. */
const candidatesMax = 10
/** A shorter text is never matched as a hash prefix, only as a name. */
const hashPrefixMin = 4

/**
 * Resolves an attachment by SHA-256, a prefix of it, or name. A full SHA-256 matches only that content, since others choose
 * the names; any other text must match exactly one content.
 *
 * @param events - the events of the issue
 * @throws {NotFoundError} when nothing matches
 * @throws {InvalidArgsError} when the text is empty or matches several contents, with the candidates
 */
export function resolveAttachment(events: readonly Event[], issueId: IssueId, typed: string): Attachment {
  const field = 'attachment'
  if (typed === '')
    throw new InvalidArgsError('the attachment name must not be empty', { details: { field, value: typed } })
  const attachments = events.map(({ body }) => body).filter((body) => body.type === 'AttachmentAdded')
  const found = contentsOf(attachments.filter(named(typed)))
  const [only] = found
  if (only === undefined) {
    throw new NotFoundError(`issue ${issueId} has no attachment '${typed}'`, {
      details: { field, value: typed },
      hints: [`Run \`${shellCommand('grite', 'issue', 'attachment', 'list', issueId.slice(0, 8))}\` to see them`],
    })
  }
  if (found.length === 1) return only
  const shown = found.slice(0, candidatesMax)
  const lines = shown.map(({ name, sha256 }) => `${sha256} ${makeVisible(name)}`)
  const more = found.length > shown.length ? ' and more' : ''
  throw new InvalidArgsError(`attachment '${typed}' is ambiguous; it could be:\n  ${lines.join('\n  ')}${more}`, {
    details: { field, value: typed, candidates: shown.map(({ sha256 }) => sha256) },
    hints: ['Use the SHA-256, or more characters of it'],
  })
}

function named(typed: string): (attachment: Attachment) => boolean {
  const prefix = typed.toLowerCase()
  const isHex = /^[0-9a-f]+$/.test(prefix)
  if (isHex && prefix.length === 64) return ({ sha256 }) => sha256 === prefix
  const isPrefix = isHex && prefix.length >= hashPrefixMin
  return ({ name, sha256 }) => name === typed || (isPrefix && sha256.startsWith(prefix))
}

/** One attachment per content: the first, whose name nobody can change later. */
function contentsOf(attachments: readonly Attachment[]): Attachment[] {
  return [...new Map(attachments.toReversed().map((each) => [each.sha256, each])).values()].toReversed()
}
