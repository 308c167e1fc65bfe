/**
 * Pages of lists. A cursor says where a page ended: it holds the name of the order and the sort values of the last item.
 * The next page starts at the first item after them, so nothing is skipped or repeated when other items change in
 * between. Callers pass a cursor back as they got it; what is in it may change.
 */
import { InvalidArgsError } from './errors/index.ts'
import { parseForeignJson } from './foreign/parse-json.ts'
import { shape } from './foreign/shapes.ts'

export type PlaceValue = string | number | null

/** The values by which an item is sorted. */
export type Place = readonly PlaceValue[]

export interface ListOrder<Item> {
  /** A cursor of an order with another name is refused. */
  readonly name: string
  readonly placeOf: (item: Item) => Place
  readonly compare: (left: Place, right: Place) => number
}

export interface PageRequest {
  readonly limit: number | undefined
  /** A cursor; undefined for the first page. */
  readonly after: string | undefined
}

export interface Page<Item> {
  readonly shown: readonly Item[]
  /** Null when no item follows. */
  readonly nextCursor: string | null
}

/**
 * The requested page of sorted items.
 * @throws {InvalidArgsError} on text that is no cursor, or the cursor of another order
 */
export function cutPage<Item>(
  items: readonly Item[],
  { name, placeOf, compare }: ListOrder<Item>,
  { limit, after }: PageRequest,
): Page<Item> {
  const place = after === undefined ? startOfList : parseCursor(name, after)
  const found = place.length === 0 ? 0 : items.findIndex((item) => compare(placeOf(item), place) > 0)
  const start = found < 0 ? items.length : found
  const end = limit === undefined ? items.length : Math.min(items.length, start + limit)
  const shown = items.slice(start, end)
  if (end === items.length) return { shown, nextCursor: null }
  const last = shown.at(-1)
  return { shown, nextCursor: formatCursor(name, last === undefined ? place : placeOf(last)) }
}

/** Before every place. */
const startOfList: Place = []

/** A place holds a title at most. */
const cursorLengthMax = 64 * 1024

const cursorShape = shape.list(shape.anything, { countMax: 16 })

function formatCursor(order: string, place: Place): string {
  const bytes = new TextEncoder().encode(JSON.stringify([order, ...place]))
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

function parseCursor(order: string, text: string): Place {
  const [first, ...place] = decodeCursor(text) ?? []
  if (typeof first !== 'string' || !place.every(isPlaceValue)) {
    const allowed = 'the next_cursor of an earlier page'
    throw new InvalidArgsError(`--after must be ${allowed}, got '${text}'`, {
      details: { field: 'after', value: text, allowed },
    })
  }
  if (first === order) return place
  throw new InvalidArgsError(`--after continues a list ordered by ${first}; this list is ordered by ${order}`, {
    details: { field: 'after', value: text, order: first, allowed: order },
    hints: ['Repeat the options for order of the page that returned the cursor'],
  })
}

function decodeCursor(text: string): readonly unknown[] | null {
  if (text.length > cursorLengthMax || !/^[A-Za-z0-9_-]+$/.test(text)) return null
  let binary: string
  try {
    binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  } catch {
    return null
  }
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0))
  return parseForeignJson(bytes, cursorShape, { name: 'the cursor', sizeMax: cursorLengthMax }).value
}

function isPlaceValue(value: unknown): value is PlaceValue {
  return value === null || typeof value === 'string' || typeof value === 'number'
}
