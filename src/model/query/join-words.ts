import { operatorWords } from './tokens.ts'

/** `label:help wanted`, as a shell passes `label:"help wanted"`: a qualifier, and a value with spaces. */
const openValue = /^(-?[A-Za-z][A-Za-z-]*:)([^\s"()][^"()]*\s[^"()]*)$/

/**
 * The query from the words of a command line. A single word is a query as it is. Among several, a word with spaces is
 * one value whose quotes the shell removed, unless it contains query syntax.
 */
export function joinQueryWords(words: readonly string[]): string {
  return words.length > 1 ? words.map(quoteAgain).join(' ') : (words[0] ?? '')
}

/** Another reading of a single word; undefined when there is no doubt. */
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
