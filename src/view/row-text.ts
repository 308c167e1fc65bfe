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

const idStart = '{"issue_id":"'.length
const idLength = 32
const createdKey = '"created_ts":'
const openState = '"state":"open"'
