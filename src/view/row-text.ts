import type { IssueId, IssueStateWord } from '../model/index.ts'
import type { IssueRow } from './index-entries.ts'
import { parseOwnJson } from './own-json.ts'

/**
 * A stored list row, parsed on first use. This saves most of the time and memory of a scan for callers that need every
 * issue's state but only a few rows.
 *
 * A row is our own JSON: it starts with the id, and a quote inside a text is written `\"`, so no title can imitate the
 * searched text.
 */
export class RowText {
  readonly issueId: IssueId
  readonly state: IssueStateWord
  /** The JSON of the row in compact layout. */
  readonly text: string

  constructor(issueId: IssueId, text: string) {
    this.issueId = issueId
    this.state = isOpenIn(text) ? 'open' : 'closed'
    this.text = text
  }

  parse(): IssueRow {
    return parseOwnJson<IssueRow>(this.text)
  }
}

/** Rows parsed together, which is much faster than one by one. */
export function parseRowTexts(rows: readonly RowText[]): IssueRow[] {
  return parseOwnJson<IssueRow[]>(`[${rows.map(({ text }) => text).join(',')}]`)
}

/** Opens rows from their texts. */
export function openRowTexts(texts: readonly string[]): RowText[] {
  // V8 slices make slow map keys, and each edge needs a lookup; JSON.parse yields flat strings.
  const ids = texts.map((text) => text.slice(idStart - 1, idStart + idLength + 1))
  const parsed = parseOwnJson<IssueId[]>(`[${ids.join(',')}]`)
  return texts.map((text, index) => new RowText(parsed[index] as IssueId, text))
}

/** The id in the text of a row. */
export function issueIdIn(text: string): IssueId {
  return text.slice(idStart, idStart + idLength) as IssueId
}

/** The first characters of the id in the text of a row. */
export function idPrefixIn(text: string, length: number): string {
  return text.slice(idStart, idStart + length)
}

export function isOpenIn(text: string): boolean {
  return text.includes(openState)
}

export function createdTsIn(text: string): number {
  return Number.parseInt(text.slice(text.lastIndexOf(createdKey) + createdKey.length), 10)
}

/**
 * The JSON of a row with the members that a list adds. The text is used as it is stored: formatting an object for each
 * issue takes longer than the rest of a list.
 *
 * @param claim - JSON
 * @param more - of further members, each after a comma
 */
export function extendText(text: string, shortId: string, claim = 'null', more = ''): string {
  return `${text.slice(0, -1)}${shortIdKey}"${shortId}"${claimKey}${claim}${more}}`
}

/** The short id in the text of a row of a list. */
export function shortIdIn(listed: string): string {
  const start = listed.lastIndexOf(shortIdKey) + shortIdKey.length + 1
  return listed.slice(start, listed.indexOf('"', start))
}

/** The text of a row of a list without claims, with a claim. @param claim - JSON */
export function claimIn(listed: string, claim: string): string {
  return `${listed.slice(0, listed.lastIndexOf(claimKey) + claimKey.length)}${claim}}`
}

/** Whether a row comes before another in the list. */
export function isBefore(one: string, other: string): boolean {
  const [oneTs, otherTs] = [createdTsIn(one), createdTsIn(other)]
  return oneTs === otherTs ? issueIdIn(one) < issueIdIn(other) : oneTs < otherTs
}

const claimKey = ',"claim":'
const shortIdKey = ',"short_id":'
const idStart = '{"issue_id":"'.length
const idLength = 32
const createdKey = '"created_ts":'
const openState = '"state":"open"'
