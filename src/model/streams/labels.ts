import { compareText } from '../compare.ts'
import type { CborReader } from './cbor-reader.ts'

/** Pairs of text, sorted by the UTF-8 bytes of the key, no key twice. */
export type Labels = readonly (readonly [key: string, value: string])[]

/** @throws {RangeError} on a key that is there twice */
export function sortedLabels(labels: Labels): Labels {
  const sorted = labels.toSorted(([left], [right]) => compareText(left, right))
  if (sorted.some(([key], index) => key === sorted[index + 1]?.[0])) throw new RangeError('a key is there twice')
  return sorted
}

export function readLabels(reader: CborReader, what: string, countMax: number): Labels {
  let previous: string | null = null
  return reader.list(what, countMax, () => {
    reader.tuple(2, what)
    const key = reader.text(`a key of ${what}`)
    if (previous !== null && compareText(previous, key) >= 0) reader.fail(`${what} sorted by key`)
    previous = key
    return [key, reader.text(`a value of ${what}`)] as const
  })
}
