import type { IssueId } from '../model/index.ts'
import { createdTsIn, idPrefixIn, isOpenIn, issueIdIn } from './row-text.ts'
import { shorten } from './short-ids.ts'

/** Rows that follow each other in the list. */
export interface RowBlock {
  /** The JSON of each row in compact layout. */
  readonly texts: readonly string[]
  /** The shortest unique prefix of the id of each. */
  readonly shortIds: readonly string[]
}

/** All rows of a view, by creation, ties by id. */
export interface WholeList {
  readonly blocks: readonly RowBlock[]
  /** Whether later lists have the same blocks, as far as nothing changes in them. */
  readonly isKept: boolean
  readonly count: number
  readonly openCount: number
}

/** Rows of a block: few enough to format again when one of them has changed. */
export const blockRows = 64

/**
 * Lists rows by their texts, in few steps for each: a list of a thousand is printed before V8 compiles any of them.
 *
 * @param texts - of all rows, by id
 * @param lengthMin - of a short id, in characters
 */
export function listWhole(texts: readonly string[], lengthMin: number): WholeList {
  const starts = texts.map((text) => idPrefixIn(text, lengthMin))
  const idAt = (index: number): IssueId | undefined => {
    const text = texts[index]
    return text === undefined ? undefined : issueIdIn(text)
  }
  const shortIdAt = (index: number): string => {
    const start = starts[index] as string
    // Nearly always: no neighbour begins like it.
    if (start !== starts[index - 1] && start !== starts[index + 1]) return start
    return shorten(idAt(index) as IssueId, [idAt(index - 1), idAt(index + 1)], lengthMin)
  }
  const order = orderByTime(texts.map(createdTsIn))
  const blocks: RowBlock[] = []
  for (let start = 0; start < order.length; start += blockRows) {
    const part = order.slice(start, start + blockRows)
    blocks.push({ texts: part.map((index) => texts[index] as string), shortIds: part.map(shortIdAt) })
  }
  return { blocks, isKept: false, count: texts.length, openCount: texts.filter(isOpenIn).length }
}

/** The indexes of times, earliest first, of equal times in the given order. */
export function orderByTime(times: readonly number[]): number[] {
  const count = times.length
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const time of times) {
    if (time < first) first = time
    if (time > last) last = time
  }
  if ((last - first + 1) * count > Number.MAX_SAFE_INTEGER) {
    return times.map((_, index) => index).sort((left, right) => (times[left] as number) - (times[right] as number))
  }
  // Numbers are sorted without a call for each comparison.
  const keys = Float64Array.from(times, (time, index) => (time - first) * count + index).sort()
  return Array.from(keys, (key) => key % count)
}
