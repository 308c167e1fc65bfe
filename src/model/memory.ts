/**
 * Memories: notes for later sessions, as values of project keys `memory.<key>` (docs/format.md#reserved-keys). Imports of
 * beads trackers write them as well, with any key and any text. Anyone who can push can write them.
 */
import { compareText } from './compare.ts'
import { parseForeignJson } from './foreign/parse-json.ts'
import { type Mismatch, shape } from './foreign/shapes.ts'
import { limits } from './limits.ts'

export const memoryPrefix = 'memory.'

/** The content of a memory. */
export interface MemoryText {
  readonly text: string
  /** A path from the top of the work tree, `.` for all of it, or the full id of an issue. */
  readonly about: string | null
}

export function memoryContextKey(key: string): string {
  return `${memoryPrefix}${key}`
}

/** Letters, digits, dots, dashes and underscores, at most 64. An imported memory may have any key. */
export function isMemoryKey(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(text)
}

/** The value of a memory: its text, or JSON if it is about something. The empty value removes it. */
export function formatMemory({ text, about }: MemoryText): string {
  if (about !== null) return JSON.stringify({ text, about })
  // A text that reads as such JSON would come back as another.
  return readJson(text) === null ? text : JSON.stringify({ text })
}

/** Reads a value; null for a removed memory. */
export function readMemory(value: string): MemoryText | null {
  if (value === '') return null
  return readJson(value) ?? { text: value, about: null }
}

/** JSON needs at most six characters per byte, and a few around them. */
const valueLengthMax = 6 * (limits.memoryBytesMax + limits.memoryAboutBytesMax) + 1024

const memberShape = shape.table({ text: shape.text(), about: shape.optional(shape.text({ lengthMin: 1 })) })

/** An object with other members is a text of somebody else. */
function valueShape(value: unknown): ReturnType<typeof memberShape> | Mismatch {
  const { text, about, ...others } = (value ?? {}) as Readonly<Record<string, unknown>>
  return memberShape(Object.keys(others).length === 0 ? value : null)
}

function readJson(value: string): MemoryText | null {
  if (!value.startsWith('{')) return null
  const read = parseForeignJson(value, valueShape, { name: 'a memory', sizeMax: valueLengthMax, depthMax: 1 }).value
  return read === null ? null : { text: read.text, about: read.about ?? null }
}

const slugLengthMax = 40

/**
 * Makes a key from the first words of a text: `the-parser-keeps-comments`.
 *
 * @param isFree - false for a key that another memory has
 */
export function slugOf(text: string, isFree: (key: string) => boolean): string {
  const words =
    text
      .normalize('NFKD')
      .replaceAll(/\p{M}/gu, '')
      .toLowerCase()
      .match(/[a-z0-9]+/g) ?? []
  let slug = ''
  for (const word of words) {
    const longer = slug === '' ? word.slice(0, slugLengthMax) : `${slug}-${word}`
    if (longer.length > slugLengthMax) break
    slug = longer
  }
  const base = slug === '' ? 'note' : slug
  for (let number = 1; ; number++) {
    const key = number === 1 ? base : `${base}-${number}`
    if (isFree(key)) return key
  }
}

/** Whether something about `about` concerns this path: it is about the path, or about a folder above it. */
export function isAboutPath(about: string, path: string): boolean {
  return about === '.' || about === path || path.startsWith(`${about}/`)
}

/** Whether every word is in one of the texts, in any case. */
export function holdsWords(texts: readonly string[], words: readonly string[]): boolean {
  const all = texts.join('\n').toLowerCase()
  return words.every((word) => all.includes(word.toLowerCase()))
}

/** Newest first; by key for the same time, as imported memories have no time of their own. */
export function compareMemories(
  left: { readonly key: string; readonly tsUnixMs: number },
  right: { readonly key: string; readonly tsUnixMs: number },
): number {
  return right.tsUnixMs - left.tsUnixMs || compareText(left.key, right.key)
}
