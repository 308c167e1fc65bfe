import type { IssueId, IssueStateWord } from '../model/index.ts'
import type { IssueRow } from './index-entries.ts'
import { parseOwnJson } from './own-json.ts'

/**
 * The row of an issue, unparsed. This saves most of the time and memory of a scan for callers that need every issue's
 * state but only a few rows.
 *
 * A row is our own JSON: it starts with the id, and a quote inside a text is written `\"`, so no title can imitate the
 * searched text.
 */
export interface UnparsedRow {
  readonly issueId: IssueId
  readonly state: IssueStateWord
  /** The JSON of the row in compact layout. */
  readonly text: string
  /** The row in a list without claims, where that is at hand. */
  readonly listed?: string
  parse(): IssueRow
}

/** A stored row. */
class RowText implements UnparsedRow {
  readonly issueId: IssueId
  readonly state: IssueStateWord
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

/** A row in the text of a list. */
class ListedRow implements UnparsedRow {
  readonly listed: string

  constructor(listed: string) {
    this.listed = listed
  }

  get issueId(): IssueId {
    return issueIdIn(this.listed)
  }

  get state(): IssueStateWord {
    return isOpenIn(this.listed) ? 'open' : 'closed'
  }

  get text(): string {
    return `${this.listed.slice(0, this.listed.lastIndexOf(shortIdKey))}}`
  }

  parse(): IssueRow {
    return parseOwnJson<IssueRow>(this.text)
  }
}

/** Opens the rows of a list from its text. @param text - the rows, with a comma between them */
export function openListedRows(text: string): UnparsedRow[] {
  const rows: UnparsedRow[] = []
  for (let start = 0; start < text.length; ) {
    const comma = text.indexOf(`,${rowStart}`, start)
    const end = comma < 0 ? text.length : comma
    rows.push(new ListedRow(text.slice(start, end)))
    start = end + 1
  }
  return rows
}

/** Rows parsed together, which is much faster than one by one. */
export function parseRowTexts(rows: readonly UnparsedRow[]): IssueRow[] {
  return parseOwnJson<IssueRow[]>(`[${rows.map(({ text }) => text).join(',')}]`)
}

/** Opens rows from their texts. */
export function openRowTexts(texts: readonly string[]): UnparsedRow[] {
  const ids = issueIdsIn(texts)
  return texts.map((text, index) => new RowText(ids[index] as IssueId, text))
}

/** The ids in the texts of rows, as fast keys of a map: V8 slices make slow ones, and JSON.parse yields flat strings. */
export function issueIdsIn(texts: readonly string[]): IssueId[] {
  const quoted = texts.map((text) => text.slice(idStart - 1, idStart + idLength + 1))
  return parseOwnJson<IssueId[]>(`[${quoted.join(',')}]`)
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

/**
 * The text of a row of a list without claims, with a claim.
 *
 * @param claim - JSON
 * @param more - of further members, each after a comma
 */
export function claimIn(listed: string, claim: string, more = ''): string {
  return `${listed.slice(0, listed.lastIndexOf(claimKey) + claimKey.length)}${claim}${more}}`
}

/** Whether a row comes before another in the list. */
export function isBefore(one: string, other: string): boolean {
  const [oneTs, otherTs] = [createdTsIn(one), createdTsIn(other)]
  return oneTs === otherTs ? issueIdIn(one) < issueIdIn(other) : oneTs < otherTs
}

const claimKey = ',"claim":'
const shortIdKey = ',"short_id":'
/** A quote inside a text is escaped, so no title can imitate the start of a row. */
export const rowStart = '{"issue_id":"'
const idStart = rowStart.length
const idLength = 32
const createdKey = '"created_ts":'
const openState = '"state":"open"'
