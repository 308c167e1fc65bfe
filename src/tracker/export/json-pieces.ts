/**
 * JSON text in pieces, for data that may exceed the maximum length of a string (512 MiB) or the available memory.
 *
 * The pieces concatenate to the text of `JSON.stringify(value, null, 2)`, or of `JSON.stringify(value)` in the compact
 * layout. A value may have deferred parts, which are read while they are written; a command with such parts sets
 * `isDeferred` in its definition.
 */

/** Indented for people, compact for programs: a third smaller. */
export type JsonLayout = 'indented' | 'compact'

/** A part of a text; bytes are UTF-8 and complete characters. */
export type Piece = string | Buffer

/** Formats a value that has no deferred parts. */
export function formatJson(value: unknown, layout: JsonLayout): string {
  return layout === 'compact' ? JSON.stringify(value) : JSON.stringify(value, null, 2)
}

/** A list that is read in batches while it is written. */
export class DeferredList<Element = unknown> {
  readonly batches: () => AsyncIterable<readonly Element[]>

  constructor(batches: () => AsyncIterable<readonly Element[]>) {
    this.batches = batches
  }
}

/** An object whose members are read while it is written. Members may be deferred, too. */
export class DeferredEntries {
  readonly entries: () => AsyncIterable<readonly [key: string, value: unknown]>

  constructor(entries: () => AsyncIterable<readonly [key: string, value: unknown]>) {
    this.entries = entries
  }
}

/** A text that is read while it is written. No piece may end inside a surrogate pair. */
export class DeferredText {
  readonly pieces: () => AsyncIterable<string>
  readonly isBase64: boolean

  /** @param kind - base64 needs no escaping, which saves a copy of each piece */
  constructor(pieces: () => AsyncIterable<string>, kind: 'text' | 'base64' = 'text') {
    this.pieces = pieces
    this.isBase64 = kind === 'base64'
  }
}

/**
 * A list with the JSON of its elements in the compact layout. Parsing and formatting each element again would take most of
 * the time of a long list.
 */
export class JsonList {
  readonly texts: readonly string[]
  readonly #parse: (text: string) => unknown

  /**
   * @param texts - each of one element or of several with a comma between them
   * @param parse - parses the text of a list
   */
  constructor(texts: readonly string[], parse: (text: string) => unknown) {
    this.texts = texts
    this.#parse = parse
  }

  toJSON(): unknown[] {
    return this.valuesOf(this.texts)
  }

  valuesOf(texts: readonly string[]): unknown[] {
    return texts.flatMap((text) => this.#parse(`[${text}]`))
  }
}

/** A list whose elements are UTF-8 already, in the compact layout and with a comma between them. A document gets the bytes as they are. */
export class JsonBytes {
  readonly bytes: Buffer
  readonly #parse: (text: string) => unknown

  /** @param parse - parses the text of a list */
  constructor(bytes: Buffer, parse: (text: string) => unknown) {
    this.bytes = bytes
    this.#parse = parse
  }

  toJSON(): unknown {
    return this.#parse(`[${this.bytes.toString('utf8')}]`)
  }
}

/** Reads the deferred parts of a value, for callers that need the value instead of its text. */
export async function readDeferred(value: unknown): Promise<unknown> {
  if (value instanceof JsonList || value instanceof JsonBytes) return value.toJSON()
  if (value instanceof DeferredText) return (await collect(value.pieces())).join('')
  if (value instanceof DeferredList) return readEach((await collect(value.batches())).flat())
  if (value instanceof DeferredEntries) return readMembers(await collect(value.entries()))
  if (Array.isArray(value)) return readEach(value)
  return isPlainObject(value) ? readMembers(Object.entries(value)) : value
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const list: Item[] = []
  for await (const item of items) list.push(item)
  return list
}

const readEach = (values: readonly unknown[]): Promise<unknown[]> => Promise.all(values.map(readDeferred))

async function readMembers(entries: readonly (readonly [string, unknown])[]): Promise<object> {
  const members: [string, unknown][] = []
  for (const [key, value] of entries) if (value !== undefined) members.push([key, await readDeferred(value)])
  return Object.fromEntries(members)
}

/** Below this level a value is formatted as a whole: large parts do not occur deeper. */
const levelsInPieces = 4

/** Initial number of list elements formatted together; later batches are sized to about `pieceLength`. */
const elementsFirst = 8
const elementsMax = 512
const pieceLength = 256 * 1024

/** Yields the text of `formatJson` in pieces. */
export async function* jsonPieces(value: unknown, layout: JsonLayout = 'indented'): AsyncGenerator<Piece> {
  yield* piecesAt(value, { level: 0, layout })
}

/** Where a value is in the document. The nesting level determines the indentation. */
interface Position {
  readonly level: number
  readonly layout: JsonLayout
}

async function* piecesAt(value: unknown, at: Position): AsyncGenerator<Piece> {
  if (value instanceof JsonBytes)
    yield* at.layout === 'compact' ? ['[', value.bytes, ']'] : piecesAt(value.toJSON(), at)
  else if (value instanceof JsonList) yield* jsonListPieces(value, at)
  else if (value instanceof DeferredText) yield* textPieces(value)
  else if (value instanceof DeferredList) yield* listPieces(value.batches(), at)
  else if (value instanceof DeferredEntries) yield* memberPieces(value.entries(), at)
  else if (Array.isArray(value) && value.length > elementsFirst) {
    yield* longListPieces(value, (batch) => formatElements(batch, at), at)
  } else if (isPlainObject(value) && at.level < levelsInPieces) yield* memberPieces(Object.entries(value), at)
  else yield format(value, at)
}

function jsonListPieces(list: JsonList, at: Position): AsyncGenerator<string> | readonly string[] {
  if (list.texts.length === 0) return ['[]']
  if (at.layout === 'compact') return longListPieces(list.texts, (batch) => batch.join(','), at)
  return longListPieces(list.texts, (batch) => formatElements(list.valuesOf(batch), at), at)
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

async function* textPieces({ pieces, isBase64 }: DeferredText): AsyncGenerator<string> {
  yield '"'
  for await (const piece of pieces()) yield isBase64 ? piece : JSON.stringify(piece).slice(1, -1)
  yield '"'
}

async function* listPieces(batches: AsyncIterable<readonly unknown[]>, at: Position): AsyncGenerator<string> {
  let isEmpty = true
  for await (const batch of batches) {
    if (batch.length === 0) continue
    yield (isEmpty ? '[' : ',') + formatElements(batch, at)
    isEmpty = false
  }
  yield isEmpty ? '[]' : `${newLine(at)}]`
}

/** @param formatBatch - the text of some elements, without the enclosing brackets */
async function* longListPieces<Element>(
  list: readonly Element[],
  formatBatch: (batch: readonly Element[]) => string,
  at: Position,
): AsyncGenerator<string> {
  let count = elementsFirst
  let start = 0
  while (start < list.length) {
    const batch = list.slice(start, start + count)
    const text = tryFormat(batch, formatBatch)
    if (text === undefined) {
      count = Math.ceil(batch.length / 2)
      continue
    }
    yield (start === 0 ? '[' : ',') + text
    start += batch.length
    const fitting = Math.floor((pieceLength * batch.length) / text.length)
    count = Math.max(1, Math.min(fitting, 4 * count, elementsMax))
  }
  yield `${newLine(at)}]`
}

/** Undefined when several elements together exceed the maximum length of a string. */
function tryFormat<Element>(
  batch: readonly Element[],
  formatBatch: (batch: readonly Element[]) => string,
): string | undefined {
  try {
    return formatBatch(batch)
  } catch (error) {
    if (error instanceof RangeError && batch.length > 1) return undefined
    throw error
  }
}

async function* memberPieces(
  entries: Iterable<readonly [string, unknown]> | AsyncIterable<readonly [string, unknown]>,
  at: Position,
): AsyncGenerator<Piece> {
  const inside = { ...at, level: at.level + 1 }
  const colon = at.layout === 'compact' ? ':' : ': '
  let isEmpty = true
  for await (const [key, value] of entries) {
    if (value === undefined) continue
    yield `${isEmpty ? '{' : ','}${newLine(inside)}${JSON.stringify(key)}${colon}`
    isEmpty = false
    yield* piecesAt(value, inside)
  }
  yield isEmpty ? '{}' : `${newLine(at)}}`
}

/** The elements of a list, without the enclosing brackets. */
function formatElements(elements: readonly unknown[], at: Position): string {
  const text = format(elements, at)
  return text.slice(1, text.length - newLine(at).length - 1)
}

/**
 * Formats a value at a level. Wraps it into that many lists, so that JSON.stringify does the indentation, and cuts it out
 * again: much faster than indenting its lines.
 */
function format(value: unknown, { level, layout }: Position): string {
  if (layout === 'compact' || level === 0) return formatJson(value, layout)
  let wrapped = value
  for (let depth = 0; depth < level; depth++) wrapped = [wrapped]
  const text = JSON.stringify(wrapped, null, 2)
  // It is preceded by `[` and an indented line end per level, and followed by the line ends and `]`.
  return text.slice(level * (level + 3), text.length - level * (level + 1))
}

function newLine({ level, layout }: Position): string {
  return layout === 'compact' ? '' : `\n${'  '.repeat(level)}`
}
