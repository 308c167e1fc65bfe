import type { IssueId } from '../../model/index.ts'
import type { ShownClaim } from '../../tracker/claims/read-claims.ts'
import { formatJson, JsonList } from '../../tracker/export/json-pieces.ts'
import { issueIdIn, parseOwnJson, type RowBlock, type WholeList } from '../../view/index.ts'

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

/** The JSON of the rows of each block, with a comma between them. */
export function joinBlocks({ blocks, isKept }: WholeList, claims: ReadonlyMap<IssueId, ShownClaim>): string[] {
  const claimIn = (text: string) => (claims.size === 0 ? undefined : claims.get(issueIdIn(text)))
  const join = ({ texts, shortIds }: RowBlock) =>
    texts.map((text, index) => extendRow(text, shortIds[index] as string, claimIn(text))).join(',')
  // A text that is remembered lives until V8 collects the whole heap.
  if (!isKept || claims.size > 0) return blocks.map(join)
  return blocks.map((block) => {
    const known = unclaimed.get(block) ?? join(block)
    unclaimed.set(block, known)
    return known
  })
}

/** Texts of kept blocks without claims. */
const unclaimed = new WeakMap<RowBlock, string>()

/** The list of the objects in these JSON texts, for a JSON document: in the document, it is the list. */
export function listOfTexts<Element>(texts: readonly string[]): readonly Element[] {
  const list: unknown = new JsonList(texts, parseOwnJson)
  return list as readonly Element[]
}
