/**
 * The cache file of heads: what refs and journals held when they were last read. A ref's row counts only for its commit,
 * a journal's only for its size, so an old file is never wrong. Replaced by rename; deletable; a damaged one is ignored.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { randomBytes, type SharedPermissions } from '../../git/index.ts'
import type { StreamSummary } from './record-streams.ts'

/** The facts of a ref's commit. */
export type CachedHead = Omit<StreamSummary, 'owner' | 'nextOffset'>

export interface CachedJournal {
  readonly file: string
  readonly byteCount: number
  readonly nextOffset: number
}

export interface HeadsCache {
  /** By ref. */
  readonly heads: ReadonlyMap<string, CachedHead>
  /** By file name. */
  readonly journals: ReadonlyMap<string, CachedJournal>
}

const version = 2
const bytesMax = 256 * 1024 * 1024
const noCache: HeadsCache = { heads: new Map(), journals: new Map() }

export function readHeadsCache(path: string): HeadsCache {
  try {
    const bytes = readFileSync(path)
    if (bytes.length > bytesMax) return noCache
    const found: unknown = JSON.parse(bytes.toString())
    if (!isCacheFile(found)) return noCache
    return {
      heads: new Map(found.heads.map((head) => [head.ref, head])),
      journals: new Map(found.journals.map((journal) => [journal.file, journal])),
    }
  } catch {
    return noCache
  }
}

interface CacheFile {
  readonly version: typeof version
  readonly heads: readonly CachedHead[]
  readonly journals: readonly CachedJournal[]
}

function isCacheFile(found: unknown): found is CacheFile {
  const file = found as Partial<CacheFile> | null
  return file?.version === version && isRows(file.heads, 'ref') && isRows(file.journals, 'file')
}

/** Whether it is a list of rows with this key. Only grite writes the file, so the rest of a row is taken as it is. */
function isRows(found: unknown, key: string): boolean {
  return Array.isArray(found) && found.every((row) => typeof row?.[key] === 'string')
}

/** Never throws: without the file, the next list takes longer. */
export function writeHeadsCache(
  path: string,
  heads: readonly CachedHead[],
  journals: readonly CachedJournal[],
  permissions: SharedPermissions,
): void {
  const draft = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    writeFileSync(draft, JSON.stringify({ version, heads, journals } satisfies CacheFile), { flag: 'wx' })
    permissions.adjust(draft)
    renameSync(draft, path)
  } catch {
    rmSync(draft, { force: true })
  }
}
