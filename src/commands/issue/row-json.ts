import type { IssueId } from '../../model/index.ts'
import type { ShownClaim } from '../../tracker/claims/read-claims.ts'
import { formatJson, JsonBytes, JsonList } from '../../tracker/export/json-pieces.ts'
import {
  claimIn,
  extendText,
  formatRowsAgain,
  issueIdIn,
  type ListText,
  parseOwnJson,
  type RowBlock,
  type WholeList,
} from '../../view/index.ts'

/**
 * The JSON of a row with the members that a list adds.
 *
 * @param more - text of further members, each after a comma
 */
export function extendRow(text: string, shortId: string, claim: ShownClaim | undefined, more = ''): string {
  return extendText(text, shortId, claim === undefined ? 'null' : formatJson(claim, 'compact'), more)
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

/** The list that a file has ready, with these claims, for a JSON document. */
export function listOfBytes<Element>({ json }: ListText, claims: ReadonlyMap<IssueId, ShownClaim>): readonly Element[] {
  const claimed = formatRowsAgain(json, claims.keys(), (listed) =>
    claimIn(listed, formatJson(claims.get(issueIdIn(listed)), 'compact')),
  )
  const list: unknown = new JsonBytes(claimed, parseOwnJson)
  return list as readonly Element[]
}

/** Texts of kept blocks without claims. */
const unclaimed = new WeakMap<RowBlock, string>()

/** The list of the objects in these JSON texts, for a JSON document: in the document, it is the list. */
export function listOfTexts<Element>(texts: readonly string[]): readonly Element[] {
  const list: unknown = new JsonList(texts, parseOwnJson)
  return list as readonly Element[]
}
