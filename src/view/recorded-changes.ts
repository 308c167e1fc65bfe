import { ChangedValues } from './changed-values.ts'
import { type RowsFamily, type RowsPart, rowsBytesMax, rowsFamilyOf } from './rows-families.ts'
import type { Change, RowsFile } from './rows-file.ts'

/** The changes that a process makes to the keys of the rows files, as far as they fit into memory. */
export class RecordedChanges {
  readonly #byFamily = new Map<RowsFamily, ChangedValues>()
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
    const family = rowsFamilyOf(key)
    if (family === undefined) return
    this.#bytes += key.length + (value?.length ?? 0)
    if (!this.isComplete) {
      this.#byFamily.clear()
      return
    }
    const known = this.#byFamily.get(family)
    const changes = known ?? new ChangedValues()
    if (known === undefined) this.#byFamily.set(family, changes)
    changes.set(key.toString('hex', family.name.length), value && encodeValue(family, value))
  }

  /** The changes of one file. */
  listOf({ families }: RowsPart): Change[] {
    return families.flatMap((family) =>
      [...(this.#byFamily.get(family)?.values ?? [])].map(([keyHex, value]) => ({
        family: family.name,
        keyHex,
        value,
      })),
    )
  }

  /** The lines of a file by family, with the changes in them; undefined when they are damaged or too many. */
  mergeInto(file: RowsFile, { families }: RowsPart): Map<string, readonly string[]> | undefined {
    const merged = new Map<string, readonly string[]>()
    for (const family of families) {
      const lines = file.readLines(family.name)
      if (lines === undefined) return undefined
      const changes = this.#byFamily.get(family)
      merged.set(family.name, changes?.mergeInto(lines) ?? lines)
    }
    return merged
  }
}

export function encodeValue({ isBinary }: RowsFamily, value: Buffer): string {
  return value.toString(isBinary ? 'base64' : 'utf8')
}
