/**
 * An issue as one text to edit: fields between two lines `---`, then the title, an empty line, and the text.
 *
 *     ---
 *     # Guidance, ignored.
 *     state: open
 *     labels: bug, "with, comma"
 *     due: 2026-12-01
 *     ---
 *     Crash on start
 *
 *     Text in Markdown.
 *
 * Fields come first and no value has a line break, so that no line of the text can be mistaken for a field.
 */
import { InvalidArgsError } from './errors/index.ts'
import { makeVisible } from './visible-text.ts'

export const documentKeys = [
  'state',
  'labels',
  'assignees',
  'priority',
  'type',
  'status',
  'due',
  'defer',
  'milestone',
  'parent',
] as const
export type DocumentKey = (typeof documentKeys)[number]

/** Keys whose value is a list separated by commas. */
const listKeys: ReadonlySet<DocumentKey> = new Set(['labels', 'assignees'])

export interface IssueDocument {
  readonly title: string
  readonly body: string
  /** The values of each key: any number for a list, otherwise one or none. A key without a line is absent. */
  readonly values: { readonly [Key in DocumentKey]?: readonly string[] }
}

/** A document with the 1-based lines of its parts, for messages. */
export interface ParsedDocument extends IssueDocument {
  readonly lineOf: { readonly [Part in DocumentKey | 'title']?: number }
}

const fence = '---'

/** @param guidance - lines shown above the fields */
export function formatIssueDocument({ title, body, values }: IssueDocument, guidance: readonly string[]): string {
  const fields = documentKeys.flatMap((key) => {
    const words = values[key]
    return words === undefined ? [] : [`${key}: ${words.map((word) => formatWord(key, word)).join(', ')}`.trimEnd()]
  })
  const lines = [fence, ...guidance.map((line) => `# ${line}`), ...fields, fence, oneLine(title), '', body, '']
  return lines.join('\n')
}

/** A title from another program may have line breaks. */
function oneLine(title: string): string {
  return title.replaceAll(/[\n\v\f\r\u0085\u2028\u2029]+/g, ' ').trim()
}

/** White space at the ends of title and text is dropped. @throws {InvalidArgsError} naming the line */
export function parseIssueDocument(text: string): ParsedDocument {
  const lines = splitLines(text)
  const start = lines.findIndex((line) => line.trim() !== '')
  if (lines[start]?.trimEnd() !== fence) {
    throw faultAt(Math.max(start, 0), `expected ${fence}, the start of the fields`, { value: lines[start] ?? '' })
  }
  const end = lines.findIndex((line, index) => index > start && line.trimEnd() === fence)
  if (end < 0) throw faultAt(start, `the fields that begin here have no closing ${fence}`, {})
  const { values, lineOf } = parseFields(lines, start + 1, end)
  const titleAt = lines.findIndex((line, index) => index > end && line.trim() !== '')
  if (titleAt < 0) throw faultAt(end + 1, 'title must not be empty', { field: 'title', value: '' })
  const bodyAt = lines[titleAt + 1]?.trim() === '' ? titleAt + 2 : titleAt + 1
  return {
    title: (lines[titleAt] ?? '').trim(),
    body: lines.slice(bodyAt).join('\n').trimEnd(),
    values,
    lineOf: { ...lineOf, title: titleAt + 1 },
  }
}

/** An editor may have changed all line ends; the text of the issue may have some of its own. */
function splitLines(text: string): string[] {
  const plain = text.replace(/^\uFEFF/, '')
  return (/^\s*---\s*\r\n/.test(plain) ? plain.replaceAll('\r\n', '\n') : plain).split('\n')
}

function parseFields(lines: readonly string[], start: number, end: number) {
  const values: { [Key in DocumentKey]?: readonly string[] } = {}
  const lineOf: { [Key in DocumentKey]?: number } = {}
  for (let index = start; index < end; index++) {
    const line = (lines[index] ?? '').trim()
    if (line === '' || line.startsWith('#')) continue
    const colon = line.indexOf(':')
    if (colon < 0) throw faultAt(index, `expected a field such as \`status: review\`, got '${makeVisible(line)}'`, {})
    const name = line.slice(0, colon).trim()
    const key = documentKeys.find((each) => each === name.toLowerCase())
    if (key === undefined) {
      const message = `there is no field '${makeVisible(name)}'; use one of ${documentKeys.join(', ')}`
      throw faultAt(index, message, { value: name, allowed: documentKeys })
    }
    if (values[key] !== undefined) throw faultAt(index, `${key} is given twice`, { field: key })
    values[key] = parseWords(key, line.slice(colon + 1), index)
    lineOf[key] = index + 1
  }
  return { values, lineOf }
}

function faultAt(index: number, problem: string, details: Readonly<Record<string, unknown>>): InvalidArgsError {
  return new InvalidArgsError(`line ${index + 1}: ${problem}`, { details: { line: index + 1, ...details } })
}

/** In quotes where it would be read differently otherwise. */
function formatWord(key: DocumentKey, word: string): string {
  const isPlain = word !== '' && word === word.trim() && !/^"|[\p{Cc}\u2028\u2029]/u.test(word)
  if (isPlain && !(listKeys.has(key) && word.includes(','))) return word
  const escaped = word.replaceAll(/["\\\p{Cc}\u2028\u2029]/gu, (character) => {
    if (character === '"' || character === '\\') return `\\${character}`
    return `\\u{${character.charCodeAt(0).toString(16)}}`
  })
  return `"${escaped}"`
}

/** A word in quotes, or text up to the end of the value; in a list, up to the next comma. */
const quotedWord = /^\s*"((?:[^"\\]|\\u\{[0-9a-f]{1,4}\}|\\["\\])*)"\s*/
const bareWord = /^[^,]*/

function parseWords(key: DocumentKey, text: string, index: number): readonly string[] {
  const words: string[] = []
  for (let rest = text; rest.trim() !== ''; ) {
    const [quoted, inside] = quotedWord.exec(rest) ?? []
    const [bare = ''] = listKeys.has(key) ? (bareWord.exec(rest) ?? []) : [rest]
    if (quoted === undefined && bare.trimStart().startsWith('"')) {
      throw faultAt(index, `${key} has a quote that is not closed`, { field: key, value: rest.trim() })
    }
    const after = rest.slice((quoted ?? bare).length)
    if (after !== '' && !(listKeys.has(key) && after.startsWith(','))) {
      throw faultAt(index, `${key} has text after a closing quote: '${makeVisible(after)}'`, {
        field: key,
        value: after,
      })
    }
    if (inside !== undefined || bare.trim() !== '') words.push(inside === undefined ? bare.trim() : unquote(inside))
    rest = after.slice(1)
  }
  return words
}

function unquote(text: string): string {
  return text.replaceAll(/\\(?:u\{([0-9a-f]{1,4})\}|(.))/g, (_, hex: string | undefined, character: string) =>
    hex === undefined ? character : String.fromCharCode(Number.parseInt(hex, 16)),
  )
}
