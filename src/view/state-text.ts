import { type IssueId, type IssueState, type PackedIssueState, unpackIssueState } from '../model/index.ts'
import { parseOwnJson } from './own-json.ts'

/** A stored state, parsed on first use: a search needs few of the states that it scans. */
export class StateText {
  readonly issueId: IssueId
  readonly #text: string
  #lower: string | undefined

  constructor(text: string) {
    this.issueId = text.slice(idStart, idStart + idLength) as IssueId
    this.#text = text
  }

  /** False only if no text of the state holds the wanted one, ignoring case. @param wanted - in lower case */
  mayHold(wanted: string): boolean {
    if (changesInJson.test(wanted)) return true
    this.#lower ??= this.#text.toLowerCase()
    return this.#lower.includes(wanted)
  }

  parse(): IssueState {
    return unpackIssueState(parseOwnJson<PackedIssueState>(this.#text))
  }
}

const idStart = '["'.length
const idLength = 32

/** Characters that JSON escapes, and the letter whose lower case depends on its neighbours. */
const changesInJson = /["\\\p{Cc}\p{Cs}σς]/u
