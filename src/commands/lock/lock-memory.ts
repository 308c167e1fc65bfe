import { readFileSync } from 'node:fs'
import { rename, rm, writeFile } from 'node:fs/promises'
import type { Oid } from '../../git/index.ts'
import type { KnownLock, KnownLocks } from '../../wal/index.ts'

/** So many that were not remembered make it worth while to write them down. */
const unsavedMax = 64
/** Another number in the file means that it is made anew. */
const fileVersion = 2

type Row = readonly [oid: string, read: KnownLock]

/**
 * Locks that have been read, by their commits, which never change: a remote keeps the leases of all issues that were ever
 * claimed there, and every write looks at them. A cache, in memory and in a file that may be deleted at any time.
 */
export class LockMemory implements KnownLocks {
  readonly #path: string
  #saved: ReadonlyMap<string, KnownLock> | undefined
  readonly #used = new Map<string, KnownLock>()
  #unsaved = 0

  constructor(path: string) {
    this.#path = path
  }

  find(oid: Oid): KnownLock | undefined {
    this.#saved ??= new Map(readRows(this.#path))
    const known = this.#used.get(oid) ?? this.#saved.get(oid)
    if (known !== undefined) this.#used.set(oid, known)
    return known
  }

  remember(oid: Oid, read: KnownLock): void {
    this.#used.set(oid, read)
    this.#unsaved += 1
  }

  /** Keeps what was looked for, when enough of it is new; what nobody asks for any more goes. Never throws. */
  async save(): Promise<void> {
    if (this.#unsaved < unsavedMax) return
    this.#unsaved = 0
    const draft = `${this.#path}.${process.pid}.tmp`
    try {
      await writeFile(draft, JSON.stringify({ version: fileVersion, rows: [...this.#used] }), { flag: 'wx' })
      await rename(draft, this.#path)
    } catch {
      await rm(draft, { force: true }).catch(() => {})
    }
  }
}

function readRows(path: string): readonly Row[] {
  try {
    const { version, rows } = JSON.parse(readFileSync(path, 'utf8')) as { version: number; rows: readonly Row[] }
    return version === fileVersion ? rows : []
  } catch {
    return []
  }
}
