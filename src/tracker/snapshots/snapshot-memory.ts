import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Oid } from '../../git/index.ts'
import { GriteError, parseForeignJson, shape } from '../../model/index.ts'
import type { GritePaths } from '../local/paths.ts'
import { makeFolder, writeFileAtomically } from '../local/write-file-atomically.ts'

/** A known fact about a snapshot. It stays true, because the id of its commit covers the snapshot and the log. */
export interface KnownSnapshot {
  /** `own`: this clone made it. `checked`: it matches the log. `refused`: it does not. `signed`: a pinned key signed it. */
  readonly verdict: 'own' | 'checked' | 'signed' | 'refused'
  /** Whether the log has duplicate records, even if the snapshot does not report them. */
  readonly hasRepeats: boolean
  /** Whether the reported problems match those of the log. */
  readonly isReportTrue: boolean
  /** For a refused snapshot: the numbers of omitted and added events. */
  readonly missing: number
  readonly added: number
}

const fileVersion = 1
const fileBytesMax = 1024 * 1024
/** Maximum number of snapshots in the file; the latest are kept. A forgotten one is checked again. */
const rowsMax = 1000

const memberShape = shape.table({
  verdict: shape.oneOf(['own', 'checked', 'signed', 'refused']),
  repeats: shape.flag,
  report: shape.flag,
  missing: shape.integer(),
  added: shape.integer(),
})
const fileShape = shape.table({ version: shape.oneOf([fileVersion]), snapshots: shape.record(memberShape) })

/** Remembers snapshots by commit id, in a file that may be deleted at any time. */
export class SnapshotMemory {
  readonly #paths: GritePaths
  #known: Map<string, KnownSnapshot> | undefined

  constructor(paths: GritePaths) {
    this.#paths = paths
  }

  find(oid: Oid): KnownSnapshot | undefined {
    this.#known ??= readFile(this.#paths.snapshotMemory)
    return this.#known.get(oid)
  }

  /** Keeps the fact in this process even if the file cannot be written. */
  async remember(oid: Oid, known: KnownSnapshot): Promise<void> {
    const { snapshotMemory: path, permissions } = this.#paths
    // Another process may have written in the meantime.
    const all = readFile(path)
    all.delete(oid)
    all.set(oid, known)
    this.#known = all
    const rows = [...all].slice(-rowsMax)
    try {
      await makeFolder(dirname(path), permissions)
      await writeFileAtomically(path, formatFile(rows), { permissions })
    } catch (error) {
      // Without the file, snapshots are checked again.
      if (!(error instanceof GriteError)) throw error
    }
  }
}

function formatFile(rows: readonly (readonly [string, KnownSnapshot])[]): string {
  const members = rows.map(([oid, { verdict, hasRepeats, isReportTrue, missing, added }]) => [
    oid,
    { verdict, repeats: hasRepeats, report: isReportTrue, missing, added },
  ])
  return JSON.stringify({ version: fileVersion, snapshots: Object.fromEntries(members) })
}

/** A damaged file, or one of another version, counts as empty. */
function readFile(path: string): Map<string, KnownSnapshot> {
  let bytes: Uint8Array
  try {
    bytes = readFileSync(path)
  } catch {
    return new Map()
  }
  const { value } = parseForeignJson(bytes, fileShape, { name: path, sizeMax: fileBytesMax })
  const known = new Map<string, KnownSnapshot>()
  for (const [oid, { verdict, repeats, report, missing, added }] of value?.snapshots ?? []) {
    known.set(oid, { verdict, hasRepeats: repeats, isReportTrue: report, missing, added })
  }
  return known
}
