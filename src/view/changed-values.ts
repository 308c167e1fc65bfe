import { countBelow, formatLine, keyIn, placeOf } from './rows-section.ts'

/** The values of changed keys of a family; undefined where a key was deleted. */
export class ChangedValues {
  readonly values: ReadonlyMap<string, string | undefined>
  readonly #values = new Map<string, string | undefined>()
  #sortedKeys: readonly string[] | undefined

  constructor() {
    this.values = this.#values
  }

  set(key: string, value: string | undefined): void {
    if (!this.#values.has(key)) this.#sortedKeys = undefined
    this.#values.set(key, value)
  }

  /** Lines of a range of keys with the changes in them. */
  mergeInto(lines: readonly string[], gte = '', lt?: string): readonly string[] {
    this.#sortedKeys ??= [...this.#values.keys()].sort()
    const first = countBelow(this.#sortedKeys, gte)
    const end = lt === undefined ? this.#sortedKeys.length : countBelow(this.#sortedKeys, lt)
    if (first >= end) return lines
    const merged: string[] = []
    let next = 0
    for (let index = first; index < end; index++) {
      const key = this.#sortedKeys[index] as string
      const place = placeOf(lines, key, next)
      while (next < place) merged.push(lines[next++] as string)
      const line = lines[next]
      if (line !== undefined && keyIn(line) === key) next += 1
      const value = this.#values.get(key)
      if (value !== undefined) merged.push(formatLine(key, value))
    }
    while (next < lines.length) merged.push(lines[next++] as string)
    return merged
  }
}
