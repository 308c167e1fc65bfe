import { readFileSync } from 'node:fs'
import type { Oid, SharedPermissions } from '../../git/index.ts'
import { limits, lockMembers, lockShape, Mismatch, parseForeignJson, shape, shortenText } from '../../model/index.ts'
import type { KnownLock, KnownLocks } from '../../wal/index.ts'
import type { GritePaths } from '../local/paths.ts'
import { writeFileAtomically } from '../local/write-file-atomically.ts'

/** Saves the file only after this many new locks. */
const unsavedMax = 64
/** A file with another version is rebuilt. */
const fileVersion = 4
/** A larger file is rebuilt: no remote has that many locks. Bytes. */
const fileBytesMax = 64 * 1024 * 1024

/** Members are validated on access, since most commands need only a few. */
const fileShape = shape.table({ version: shape.oneOf([fileVersion]), locks: shape.record(shape.anything) })
const memberShape = shape.table({ lock: lockShape, committed: shape.integer(), suffix: shape.text() })
const damagedShape = shape.table({ problem: shape.text({ lengthMax: limits.problemLengthMax }) })

/**
 * Parsed locks by commit, which is immutable. A remote keeps the leases of all issues ever claimed there, and every write
 * reads them. A cache, in memory and in a file that may be deleted at any time.
 */
export class LockMemory implements KnownLocks {
  readonly #path: string
  readonly #permissions: SharedPermissions
  #saved: ReadonlyMap<string, unknown> | undefined
  readonly #used = new Map<string, KnownLock>()
  #unsaved = 0

  constructor({ lockMemory, permissions }: GritePaths) {
    this.#path = lockMemory
    this.#permissions = permissions
  }

  find(oid: Oid): KnownLock | undefined {
    this.#saved ??= readMembers(this.#path)
    const known = this.#used.get(oid) ?? readMember(this.#saved.get(oid))
    if (known !== undefined) this.#used.set(oid, known)
    return known
  }

  remember(oid: Oid, read: KnownLock): void {
    this.#used.set(oid, read)
    this.#unsaved += 1
  }

  /** Saves the locks that were requested, if enough of them are new; drops the others. Never throws. */
  async save(): Promise<void> {
    if (this.#unsaved < unsavedMax) return
    this.#unsaved = 0
    await writeFileAtomically(this.#path, formatMembers(this.#used), { permissions: this.#permissions }).catch(() => {})
  }
}

function formatMembers(known: ReadonlyMap<string, KnownLock>): string {
  const locks = [...known].map(([oid, read]) => [
    oid,
    read.lock === null
      ? { problem: shortenText(read.problem, limits.problemLengthMax) }
      : { lock: lockMembers(read.lock), committed: read.committedAtUnixMs, suffix: read.suffix },
  ])
  return JSON.stringify({ version: fileVersion, locks: Object.fromEntries(locks) })
}

function readMembers(path: string): ReadonlyMap<string, unknown> {
  let bytes: Uint8Array
  try {
    bytes = readFileSync(path)
  } catch {
    return new Map()
  }
  const { value } = parseForeignJson(bytes, fileShape, { name: path, sizeMax: fileBytesMax })
  return value?.locks ?? new Map()
}

function readMember(member: unknown): KnownLock | undefined {
  const read = memberShape(member)
  if (!(read instanceof Mismatch)) {
    const { lock, committed, suffix } = read
    return { lock, committedAtUnixMs: committed, suffix, problem: null }
  }
  const damaged = damagedShape(member)
  return damaged instanceof Mismatch ? undefined : { lock: null, problem: damaged.problem }
}
