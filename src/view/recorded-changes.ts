import { type RowsFamily, type RowsPart, rowsBytesMax, rowsParts } from './rows-families.ts'
import { type Change, mergeLines, type RowsFile } from './rows-file.ts'

/** The changes that a process makes to the keys of the rows files, as far as they fit into memory. */
export class RecordedChanges {
  readonly #byFamily = new Map<RowsFamily, Map<string, string | undefined>>()
  #bytes = 0

  /** Bytes of all changes; of a key that changed several times, all of them. */
  get bytes(): number {
    return this.#bytes
  }

  get isComplete(): boolean {
    return this.#bytes <= rowsBytesMax
  }

  /** @param value - undefined when the key is deleted */
  add(key: Buffer, value: Buffer | undefined): void {
    if (!this.isComplete) return
    const family = familyOf(key)
    if (family === undefined) return
    this.#bytes += key.length + (value?.length ?? 0)
    if (!this.isComplete) {
      this.#byFamily.clear()
      return
    }
    const known = this.#byFamily.get(family)
    const changes = known ?? new Map<string, string | undefined>()
    if (known === undefined) this.#byFamily.set(family, changes)
    changes.set(key.toString('hex', family.name.length), value && encodeValue(family, value))
  }

  /** The changes of one file. */
  listOf({ families }: RowsPart): Change[] {
    return families.flatMap((family) =>
      [...(this.#byFamily.get(family) ?? [])].map(([keyHex, value]) => ({ family: family.name, keyHex, value })),
    )
  }

  /** The lines of a file by family, with the changes in them; undefined when they are damaged or too many. */
  mergeInto(file: RowsFile, { families }: RowsPart): Map<string, readonly string[]> | undefined {
    const merged = new Map<string, readonly string[]>()
    for (const family of families) {
      const lines = file.readLines(family.name)
      if (lines === undefined) return undefined
      const changes = this.#byFamily.get(family)
      merged.set(family.name, changes === undefined ? lines : mergeLines(lines, changes))
    }
    return merged
  }
}

/** The family of a key; undefined for keys that the rows files do not have. */
function familyOf(key: Buffer): RowsFamily | undefined {
  const nameEnd = key.indexOf(0x2f) + 1
  return familiesByName.get(key.toString('latin1', 0, nameEnd))
}

const familiesByName = new Map(rowsParts.flatMap(({ families }) => families.map((family) => [family.name, family])))

export function encodeValue({ isBinary }: RowsFamily, value: Buffer): string {
  return value.toString(isBinary ? 'base64' : 'utf8')
}
