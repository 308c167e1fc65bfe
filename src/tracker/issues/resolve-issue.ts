import {
  IdParseError,
  InvalidArgsError,
  type IssueId,
  limits,
  makeVisible,
  NotFoundError,
  parseIssueId,
} from '../../model/index.ts'
import type { View } from '../../view/index.ts'

/** Maximum number of candidates listed for an ambiguous prefix. */
const candidatesMax = 10
/** Length of a full id. */
const idLength = 32

/**
 * Resolves an issue by id, by a unique prefix of at least four characters, or by its id in the tracker that it was imported
 * from. A full id wins; a prefix that is also the imported id of another issue is ambiguous.
 * @throws {InvalidArgsError} on a prefix that is too short or ambiguous, with the candidates
 * @throws {IdParseError} on text that is neither hexadecimal nor an imported id
 * @throws {NotFoundError} when no issue has it
 */
export async function resolveIssue(view: View, typed: string): Promise<IssueId> {
  const text = typed.trim()
  const prefix = text.toLowerCase()
  const isHex = /^[0-9a-f]+$/.test(prefix)
  const isPrefix = isHex && prefix.length >= limits.issueIdPrefixMin && prefix.length <= idLength
  const ids = isPrefix ? await view.findIdsByPrefix(prefix, candidatesMax + 1) : []
  if (ids[0] === prefix) return ids[0]
  const found = [...new Set([...ids, ...(await view.findByAlias(text))])]
  if (found.length > 1) throw ambiguous(text, await describeCandidates(view, found))
  if (found[0] !== undefined) return found[0]
  if (!isHex) {
    throw new IdParseError(`'${text}' is not an issue id: ids are hexadecimal, and no imported issue has this id`, {
      details: { field: 'issue id', value: text },
    })
  }
  if (prefix.length < limits.issueIdPrefixMin) {
    throw new InvalidArgsError(
      `issue id '${text}' is too short: at least ${limits.issueIdPrefixMin} characters are needed`,
      { details: { field: 'issue id', value: text, length_min: limits.issueIdPrefixMin } },
    )
  }
  throw new NotFoundError(`no issue has the id '${text}'`, {
    details: { field: 'issue id', value: text },
    hints: ['Run `grite issue list` to see the issues'],
  })
}

/** Like `resolveIssue`, but accepts the full id of an issue that is unknown in this clone. */
export async function resolveIssueOrId(view: View, typed: string): Promise<IssueId> {
  const text = typed.trim()
  if (!/^[0-9a-f]{32}$/i.test(text)) return resolveIssue(view, typed)
  const id = parseIssueId(text)
  try {
    const found = await resolveIssue(view, text)
    if (found === id) return id
    throw ambiguous(text, [`${id} (not in this repository)`, ...(await describeCandidates(view, [found]))])
  } catch (error) {
    if (error instanceof NotFoundError) return id
    throw error
  }
}

/** Resolves several texts in order, without duplicates. */
export async function resolveIssues(view: View, typed: readonly string[]): Promise<IssueId[]> {
  const ids: IssueId[] = []
  for (const text of typed) {
    const id = await resolveIssue(view, text)
    if (!ids.includes(id)) ids.push(id)
  }
  return ids
}

async function describeCandidates(view: View, ids: readonly IssueId[]): Promise<string[]> {
  const rows = await view.findRows(ids)
  return ids.map((id) => `${id} ${makeVisible(rows.get(id)?.title ?? '')}`)
}

function ambiguous(text: string, candidates: readonly string[]): InvalidArgsError {
  const shown = candidates.slice(0, candidatesMax)
  const more = candidates.length > shown.length ? ' and more' : ''
  return new InvalidArgsError(`issue id '${text}' is ambiguous; it could be:\n  ${shown.join('\n  ')}${more}`, {
    details: { field: 'issue id', value: text, candidates: shown.map((line) => line.slice(0, 32)) },
    hints: ['Type more characters of the id'],
  })
}
