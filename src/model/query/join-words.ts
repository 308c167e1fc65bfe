import { operatorWords } from './tokens.ts'

/** `label:help wanted`, as a shell hands on `label:"help wanted"`: a qualifier, and a value with spaces. */
const openValue = /^(-?[A-Za-z][A-Za-z-]*:)([^\s"()][^"()]*\s[^"()]*)$/

/**
 * The query that the words of a command line make. One word is a query as it stands. Of several, one with spaces in it
 * is one value whose quotes the shell has taken, unless it says more than that.
 */
export function joinQueryWords(words: readonly string[]): string {
  return words.length > 1 ? words.map(quoteAgain).join(' ') : (words[0] ?? '')
}

/** What a single word may have been meant as; undefined when it leaves no doubt. */
export function findLostQuotes(words: readonly string[]): string | undefined {
  const [only = ''] = words
  if (words.length !== 1) return undefined
  const quoted = quoteAgain(only)
  return quoted === only ? undefined : quoted
}

function quoteAgain(word: string): string {
  const [, qualifier, value] = openValue.exec(word) ?? []
  if (qualifier === undefined || value === undefined) return word
  const others = value.split(/\s+/).slice(1)
  const saysMore = others.some((each) => /^-?[A-Za-z][A-Za-z-]*:|^-./.test(each) || operatorWords.has(each))
  return saysMore ? word : `${qualifier}"${value.replaceAll('\\', '\\\\')}"`
}
