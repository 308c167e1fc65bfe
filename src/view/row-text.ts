import type { IssueId, IssueStateWord } from '../model/index.ts'
import type { IssueRow } from './index-entries.ts'
import { parseOwnJson } from './own-json.ts'

/**
 * A list row as it lies in the store, parsed when somebody looks at it. Who needs the state of every issue and the rows
 * of a few spares most of the time and the memory that a scan of all rows takes.
 *
 * A row is JSON of ours: it opens with the id, and a quote inside a text is written `\"`, so that no title can hold what
 * is looked for here.
 */
export class RowText {
  readonly issueId: IssueId
  readonly state: IssueStateWord
  readonly #text: string

  constructor(issueId: IssueId, text: string) {
    this.issueId = issueId
    this.state = text.includes(openState) ? 'open' : 'closed'
    this.#text = text
  }

  parse(): IssueRow {
    return parseOwnJson<IssueRow>(this.#text)
  }
}

/** Rows of these texts. */
export function openRowTexts(texts: readonly string[]): RowText[] {
  // A slice of a text is slow to look up in a map, and an id is looked up for each edge: parsed, it is a text of its own.
  const ids = texts.map((text) => text.slice(idStart - 1, idStart + idLength + 1))
  const parsed = parseOwnJson<IssueId[]>(`[${ids.join(',')}]`)
  return texts.map((text, index) => new RowText(parsed[index] as IssueId, text))
}

const idStart = '{"issue_id":"'.length
const idLength = 32
const openState = '"state":"open"'
