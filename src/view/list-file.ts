/**
 * The JSON of the whole list, ready to be printed, beside the rows file. A process that lists a thousand issues is too short for
 * V8 to compile the code that would make it from the rows.
 *
 *     file := head; text                            each padded to a multiple of 4 bytes
 *     head := line of JSON {"format", "schema", "state", "count", "openCount", "bytes", "checksum"}, as in a rows file
 *     text := the JSON of each row as in a list without claims, by creation, with commas
 *
 * It is of the base of the rows file. What has changed since, a reader takes from there. The first reader of a base writes it: two that
 * write at the same time write the same, and one that comes too late leaves a file that the next reader replaces.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import type { IssueId } from '../model/index.ts'
import { checksumsOf, openSummedMemory } from './checksums.ts'
import { createdTsIn, extendText, idPrefixIn, isBefore, isOpenIn, issueIdIn, rowStart, shortIdIn } from './row-text.ts'
import { encodeLine, type RowsState, readLine } from './rows-file.ts'
import { pad, padded } from './rows-section.ts'
import { shortIdLength } from './short-ids.ts'
import { listWhole } from './whole-list.ts'

/** A whole list as text. */
export interface ListText {
  /** UTF-8: the elements with commas between them. */
  readonly json: Buffer
  readonly count: number
  readonly openCount: number
}

/** Increases when the layout changes, or what a list adds to a row. */
const format = 1

interface Head {
  readonly format: number
  readonly schema: string
  readonly state: RowsState
  readonly count: number
  readonly openCount: number
  readonly bytes: number
  readonly checksum: number
}

/** @param texts - of all rows, by id */
export function encodeList(
  schema: string,
  state: RowsState,
  texts: readonly string[],
): { readonly bytes: Buffer; readonly list: ListText } {
  const { blocks, count, openCount } = listWhole(texts, shortIdLength)
  const listed = blocks.flatMap((block) =>
    block.texts.map((text, index) => extendText(text, block.shortIds[index] as string)),
  )
  const json = Buffer.from(listed.join(','))
  const text = pad(json)
  const [sum = 0] = checksumsOf(text, [text.length])
  const head: Head = { format, schema, state, count, openCount, bytes: json.length, checksum: sum }
  return { bytes: Buffer.concat([encodeLine(head), text]), list: { json, count, openCount } }
}

/** The list of a state; undefined when there is none, or it is damaged. */
export function readList(path: string, schema: string, state: RowsState): ListText | undefined {
  let descriptor: number | undefined
  try {
    descriptor = openSync(path, 'r')
    const { size } = fstatSync(descriptor)
    const { bytes, sumsOf } = openSummedMemory(padded(size))
    if (readSync(descriptor, bytes, 0, size, 0) !== size) return undefined
    const head = readLine<Head>(bytes, 0)
    if (head === undefined) return undefined
    const { value, end } = head
    if (value.format !== format || value.schema !== schema) return undefined
    if (value.state.head !== state.head || value.state.reflogMark !== state.reflogMark) return undefined
    if (end + padded(value.bytes) !== size || sumsOf([end, size])[1] !== value.checksum) return undefined
    return { json: bytes.subarray(end, end + value.bytes), count: value.count, openCount: value.openCount }
  } catch {
    // No file, or not JSON, or without an expected member.
    return undefined
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

/** More changed rows are found as fast by making the list again. */
export const changedRowsMax = 64

/**
 * A list as it is after changes of its rows.
 *
 * @param list - as `readList` gives it
 * @param changes - the new texts by id; undefined for a row that is gone
 * @returns undefined where the changes move other rows, or change their short ids
 */
export function changeList(
  { json, count, openCount }: ListText,
  changes: ReadonlyMap<string, string | undefined>,
): ListText | undefined {
  if (count === 0 || changes.size > changedRowsMax) return undefined
  const added: string[] = []
  const places: RowPlace[] = []
  let open = openCount
  for (const text of changes.values()) {
    if (text === undefined) return undefined
    open += Number(isOpenIn(text))
    const place = findRow(json, issueIdIn(text))
    if (place === undefined) {
      added.push(text)
      continue
    }
    const former = json.toString('utf8', place.start, place.end)
    if (createdTsIn(former) !== createdTsIn(text)) return undefined
    open -= Number(isOpenIn(former))
    places.push({ ...place, text: extendText(text, shortIdIn(former)) })
  }
  const newest = addRows(json, added)
  if (newest === undefined) return undefined
  return { json: Buffer.concat([...cutOut(json, places), newest]), count: count + added.length, openCount: open }
}

/** The rows of a list with some of them formatted again. Unknown ids have no effect. */
export function formatRowsAgain(json: Buffer, ids: Iterable<IssueId>, format: (listed: string) => string): Buffer {
  const places: RowPlace[] = []
  for (const id of ids) {
    const place = findRow(json, id)
    if (place !== undefined) places.push({ ...place, text: format(json.toString('utf8', place.start, place.end)) })
  }
  return places.length === 0 ? json : Buffer.concat(cutOut(json, places))
}

/** A row in the bytes, and its new text. */
interface RowPlace {
  readonly start: number
  readonly end: number
  readonly text: string
}

function cutOut(json: Buffer, places: RowPlace[]): Buffer[] {
  const parts: Buffer[] = []
  let end = 0
  for (const place of places.sort((left, right) => left.start - right.start)) {
    parts.push(json.subarray(end, place.start), Buffer.from(place.text))
    end = place.end
  }
  return [...parts, json.subarray(end)]
}

/** The new rows behind all others; undefined if one belongs elsewhere, or its id begins like another. */
function addRows(json: Buffer, texts: string[]): Buffer | undefined {
  const starts = new Set(texts.map((text) => idPrefixIn(text, shortIdLength)))
  if (starts.size < texts.length) return undefined
  for (const start of starts) if (json.includes(`${rowStart}${start}`, 0, 'latin1')) return undefined
  let before = json.toString('utf8', json.lastIndexOf(rowStart, undefined, 'latin1'))
  let added = ''
  for (const text of texts.sort((left, right) => (isBefore(left, right) ? -1 : 1))) {
    if (!isBefore(before, text)) return undefined
    added += `,${extendText(text, idPrefixIn(text, shortIdLength))}`
    before = text
  }
  return Buffer.from(added)
}

function findRow(json: Buffer, id: string): Pick<RowPlace, 'start' | 'end'> | undefined {
  const start = json.indexOf(`${rowStart}${id}`, 0, 'latin1')
  if (start < 0) return undefined
  const next = json.indexOf(`,${rowStart}`, start, 'latin1')
  return { start, end: next < 0 ? json.length : next }
}
