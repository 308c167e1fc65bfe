/** Which names of symbols a query means, the best ones first. */
import { compareText } from '../compare.ts'

export const nameMatchings = ['prefix', 'substring', 'fuzzy'] as const
/** `prefix`: as written; `substring`: in any case; `fuzzy`: all letters in their order, in any case. */
export type NameMatching = (typeof nameMatchings)[number]

export interface NameMatch {
  readonly name: string
  /** Lower is better; 0 is the name itself. */
  readonly rank: number
}

/**
 * Ranks the names that match, each once: the name itself, the name in another case, then names that begin with the query, then those
 * with a word that does, then others. Among equals shorter ones are first, then it is the byte order; for a prefix, whose matches
 * differ in nothing else, the byte order alone.
 *
 * @param names - equal ones side by side
 */
export function matchNames(names: Iterable<string>, query: string, matching: NameMatching): NameMatch[] {
  const rankOf = rankers[matching](query)
  const found: NameMatch[] = []
  let last: string | undefined
  for (const name of names) {
    if (name === last) continue
    last = name
    const rank = rankOf(name)
    if (rank !== null) found.push({ name, rank })
  }
  const lengthOf = matching === 'prefix' ? () => 0 : ({ name }: NameMatch) => name.length
  return found.sort((a, b) => a.rank - b.rank || lengthOf(a) - lengthOf(b) || compareText(a.name, b.name))
}

/** The rank of a name; null when it does not match. */
type RankOf = (name: string) => number | null

const rankers: Readonly<Record<NameMatching, (query: string) => RankOf>> = {
  prefix: (query) => (name) => (name === query ? 0 : name.startsWith(query) ? 1 : null),
  substring: rankSubstring,
  fuzzy: rankFuzzy,
}

function rankSubstring(query: string): RankOf {
  const folded = query.toLowerCase()
  return (name) => {
    const at = name.toLowerCase().indexOf(folded)
    if (at < 0) return null
    if (name === query) return 0
    if (name.length === query.length) return 1
    if (at === 0) return 2
    return beginsWord(name, at) ? 3 : 4
  }
}

/** Ranks by where the letters are: each gap costs one, each letter within a word another. */
function rankFuzzy(query: string): RankOf {
  const folded = query.toLowerCase()
  return (name) => {
    const low = name.toLowerCase()
    if (name === query) return 0
    let at = -1
    let cost = 1
    for (const letter of folded) {
      const next = low.indexOf(letter, at + 1)
      if (next < 0) return null
      if (next !== at + 1) cost += beginsWord(name, next) ? 1 : 2
      at = next
    }
    return cost
  }
}

/** Whether a word of a name begins here: after another character than a letter or digit, or with an upper-case letter. */
export function beginsWord(name: string, at: number): boolean {
  if (at === 0) return true
  const [before, here] = [name.charCodeAt(at - 1), name.charCodeAt(at)]
  if (before < 0x80 && here < 0x80) {
    return isCapital(here) ? !isCapital(before) : !(isSmall(before) || isCapital(before) || isDigit(before))
  }
  return (
    !/[\p{L}\p{N}]/u.test(name.charAt(at - 1)) ||
    (/\p{Lu}/u.test(name.charAt(at)) && !/\p{Lu}/u.test(name.charAt(at - 1)))
  )
}

const isCapital = (unit: number): boolean => unit >= 0x41 && unit <= 0x5a
const isSmall = (unit: number): boolean => unit >= 0x61 && unit <= 0x7a
const isDigit = (unit: number): boolean => unit >= 0x30 && unit <= 0x39
