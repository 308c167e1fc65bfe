/**
 * JSON text in pieces, for data that may exceed the maximum length of a string (512 MiB) or the available memory.
 *
 * The pieces concatenate to the text of `JSON.stringify(value, null, 2)`. A value may have deferred parts, which are read
 * while they are written; a command with such parts sets `isDeferred` in its definition.
 */

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

/** Reads the deferred parts of a value, for callers that need the value instead of its text. */
export async function readDeferred(value: unknown): Promise<unknown> {
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

/** Yields the text of `JSON.stringify(value, null, 2)` in pieces. */
export async function* jsonPieces(value: unknown): AsyncGenerator<string> {
  yield* piecesAt(value, 0)
}

/** @param level - nesting level of the value, which determines its indentation */
async function* piecesAt(value: unknown, level: number): AsyncGenerator<string> {
  if (value instanceof DeferredText) yield* textPieces(value)
  else if (value instanceof DeferredList) yield* listPieces(value.batches(), level)
  else if (value instanceof DeferredEntries) yield* memberPieces(value.entries(), level)
  else if (Array.isArray(value) && value.length > elementsFirst) yield* longListPieces(value, level)
  else if (isPlainObject(value) && level < levelsInPieces) yield* memberPieces(Object.entries(value), level)
  else yield format(value, level)
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

async function* textPieces({ pieces, isBase64 }: DeferredText): AsyncGenerator<string> {
  yield '"'
  for await (const piece of pieces()) yield isBase64 ? piece : JSON.stringify(piece).slice(1, -1)
  yield '"'
}

async function* listPieces(batches: AsyncIterable<readonly unknown[]>, level: number): AsyncGenerator<string> {
  let isEmpty = true
  for await (const batch of batches) {
    if (batch.length === 0) continue
    yield (isEmpty ? '[' : ',') + formatElements(batch, level)
    isEmpty = false
  }
  yield isEmpty ? '[]' : `${newLine(level)}]`
}

async function* longListPieces(list: readonly unknown[], level: number): AsyncGenerator<string> {
  let count = elementsFirst
  let start = 0
  while (start < list.length) {
    const batch = list.slice(start, start + count)
    const text = tryFormatElements(batch, level)
    if (text === undefined) {
      count = Math.ceil(batch.length / 2)
      continue
    }
    yield (start === 0 ? '[' : ',') + text
    start += batch.length
    const fitting = Math.floor((pieceLength * batch.length) / text.length)
    count = Math.max(1, Math.min(fitting, 4 * count, elementsMax))
  }
  yield `${newLine(level)}]`
}

/** Undefined when several elements together exceed the maximum length of a string. */
function tryFormatElements(batch: readonly unknown[], level: number): string | undefined {
  try {
    return formatElements(batch, level)
  } catch (error) {
    if (error instanceof RangeError && batch.length > 1) return undefined
    throw error
  }
}

async function* memberPieces(
  entries: Iterable<readonly [string, unknown]> | AsyncIterable<readonly [string, unknown]>,
  level: number,
): AsyncGenerator<string> {
  let isEmpty = true
  for await (const [key, value] of entries) {
    if (value === undefined) continue
    yield `${isEmpty ? '{' : ','}${newLine(level + 1)}${JSON.stringify(key)}: `
    isEmpty = false
    yield* piecesAt(value, level + 1)
  }
  yield isEmpty ? '{}' : `${newLine(level)}}`
}

/** The elements of a list at a level, without the enclosing brackets. */
function formatElements(elements: readonly unknown[], level: number): string {
  const text = format(elements, level)
  return text.slice(1, text.length - newLine(level).length - 1)
}

/**
 * Formats a value at a level. Wraps it into that many lists, so that JSON.stringify does the indentation, and cuts it out
 * again: much faster than indenting its lines.
 */
function format(value: unknown, level: number): string {
  let wrapped = value
  for (let depth = 0; depth < level; depth++) wrapped = [wrapped]
  const text = JSON.stringify(wrapped, null, 2)
  if (level === 0) return text
  // It is preceded by `[` and an indented line end per level, and followed by the line ends and `]`.
  return text.slice(level * (level + 3), text.length - level * (level + 1))
}

function newLine(level: number): string {
  return `\n${'  '.repeat(level)}`
}
