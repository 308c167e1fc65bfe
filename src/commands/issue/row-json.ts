import type { ShownClaim } from '../../tracker/claims/read-claims.ts'
import { formatJson, JsonList } from '../../tracker/export/json-pieces.ts'
import { parseOwnJson } from '../../view/index.ts'

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

/** The list of objects with these JSON texts, for a JSON document: in the document, it is the list. */
export function listOfTexts<Element>(texts: readonly string[]): readonly Element[] {
  const list: unknown = new JsonList(texts, parseOwnJson)
  return list as readonly Element[]
}
