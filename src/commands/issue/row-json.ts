import type { IssueId } from '../../model/index.ts'
import type { ShownClaim } from '../../tracker/claims/read-claims.ts'
import { formatJson, JsonList } from '../../tracker/export/json-pieces.ts'
import { issueIdIn, parseOwnJson, type RowBlock } from '../../view/index.ts'

/**
 * The JSON of a row with the members that a list adds. The row's text is used as it is stored, and usual members are not
 * formatted: formatting an object for each issue takes longer than the rest of a list.
 *
 * @param more - text of further members, each after a comma
 */
export function extendRow(text: string, shortId: string, claim: ShownClaim | undefined, more = ''): string {
  const claimText = claim === undefined ? 'null' : formatJson(claim, 'compact')
  return `${text.slice(0, -1)},"short_id":"${shortId}","claim":${claimText}${more}}`
}

/** The JSON of the rows of a block, with a comma between them. */
export function joinBlock(block: RowBlock, claims: ReadonlyMap<IssueId, ShownClaim>): string {
  const { texts, shortIds } = block
  const claimIn = (text: string) => (claims.size === 0 ? undefined : claims.get(issueIdIn(text)))
  const join = () => texts.map((text, index) => extendRow(text, shortIds[index] as string, claimIn(text))).join(',')
  if (claims.size > 0) return join()
  const known = unclaimed.get(block) ?? join()
  unclaimed.set(block, known)
  return known
}

/** Texts of blocks without claims: a view that stays open gives the same blocks again. */
const unclaimed = new WeakMap<RowBlock, string>()

/** The list of the objects in these JSON texts, for a JSON document: in the document, it is the list. */
export function listOfTexts<Element>(texts: readonly string[]): readonly Element[] {
  const list: unknown = new JsonList(texts, parseOwnJson)
  return list as readonly Element[]
}
