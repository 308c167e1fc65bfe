/**
 * Keeps the rows files of a view up to date: on close, appends the changes of this process, or writes new files.
 *
 * Invariants
 * - A process writes at most its changes and a file of `rowsBytesMax`. A view that has outgrown that has no file until a process reads
 *   most of it: writing a large file takes a small part of its time.
 * - Only a process that has the LevelDB directory open, and thereby locked, writes the files.
 * - A file names the state that it is a copy of. A process that was killed leaves an older one, which no reader uses.
 * - An error leaves the files as they are, or removes them: they are a copy.
 */
import { appendFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { privatePermissions, type SharedPermissions } from '../git/index.ts'
import { metaKey } from './keys.ts'
import { encodeValue, RecordedChanges } from './recorded-changes.ts'
import { replaceFile } from './replace-file.ts'
import {
  largeRowsBytesMax,
  largeRowsIssuesMax,
  listFileName,
  listPart,
  type RowsPart,
  rowsBytesMax,
  rowsChangesBytesMax,
  rowsIssuesMax,
  rowsParts,
} from './rows-families.ts'
import { encodeBase, encodeChange, openRowsFile, type RowsFile, type RowsState } from './rows-file.ts'
import { formatLine } from './rows-section.ts'
import type { Scan, ScanOptions, Store, StoreBatch } from './store.ts'

/** An event takes at least this much of a file. */
const eventBytesMin = 200

/** Metadata of views that differ from their log, or whose answers come with a warning: they have no rows files. */
const unusualMeta = ['lost_heads', 'held_heads', 'has_copies', 'log_gaps', 'apart_heads']

export interface KeepRowsOptions {
  /** The `level` folder. */
  readonly folder: string
  readonly permissions?: SharedPermissions | undefined
  /** The store has no state yet: no file can be a copy of it, so changes are not recorded. */
  readonly isNew?: boolean
}

export function keepRows(
  store: Store,
  { folder, permissions = privatePermissions, isNew = false }: KeepRowsOptions,
): Store {
  let before: Promise<RowsState | undefined> | undefined
  /** Whether this process reads most of the view anyway. */
  let readsMuch = false
  const recorded = new RecordedChanges()

  /** The state before the first change. */
  async function readBefore(): Promise<void> {
    before ??= readState(store)
    await before
  }

  async function save(): Promise<void> {
    const found = await readPlainState(store)
    for (const part of rowsParts) {
      const path = join(folder, part.fileName)
      if (found === undefined || !hasPart(found, part) || !(await savePart(path, part, found))) removePart(path, part)
    }
  }

  function removePart(path: string, part: RowsPart): void {
    rmSync(path, { force: true })
    if (part === listPart) rmSync(join(folder, listFileName), { force: true })
  }

  /** @returns false when there is no file of the present state */
  async function savePart(path: string, part: RowsPart, found: PlainState): Promise<boolean> {
    const file = openRowsFile(path)
    try {
      const { schema, state } = found
      if (file !== undefined && isSame(file.state, state)) return true
      const start = before === undefined && !isNew ? state : await before
      const old = file?.schema === schema && isSame(file.state, start) && recorded.isComplete ? file : undefined
      if (old !== undefined && recorded.bytes <= rowsChangesBytesMax && old.changesBytes <= rowsChangesBytesMax) {
        const change = encodeChange(state, recorded.listOf(part))
        if (change !== undefined) {
          appendFileSync(path, change)
          return true
        }
      }
      if (!readsMuch && (!isSmall(found) || (old?.baseBytes ?? 0) > rowsBytesMax)) return false
      return await writeBase(path, part, old, found)
    } finally {
      file?.close()
    }
  }

  async function writeBase(
    path: string,
    part: RowsPart,
    old: RowsFile | undefined,
    { schema, state }: PlainState,
  ): Promise<boolean> {
    const bytesMax = readsMuch && part === listPart ? largeRowsBytesMax : rowsBytesMax
    // Much faster than reading everything from LevelDB.
    const lines = (old && recorded.mergeInto(old, part)) ?? (await copyFamilies(store, part))
    const base = encodeBase({ schema, state, bytesMax }, lines)
    if (base === undefined) return false
    replaceFile(path, base, permissions)
    return true
  }

  /** A reader of large steps reads much. */
  const noting =
    <Item>(scan: (options?: ScanOptions) => Scan<Item>) =>
    (options?: ScanOptions): Scan<Item> => {
      if (options?.highWaterMarkBytes !== undefined) readsMuch = true
      return scan(options)
    }
  const notingReads = (reads: Store): Store => ({
    ...reads,
    keys: noting(reads.keys),
    values: noting(reads.values),
    texts: noting(reads.texts),
    iterator: noting(reads.iterator),
  })

  async function close(): Promise<void> {
    try {
      await save()
    } catch {
      // No room, no permission, or a store that cannot be read: the next reader finds out.
    }
    await store.close()
  }

  if (isNew) return { ...store, close }
  return {
    ...notingReads(store),
    snapshot: () => notingReads(store.snapshot()),
    startBatch(): StoreBatch {
      const batch = store.startBatch()
      return {
        put(key, value) {
          recorded.add(key, value)
          batch.put(key, value)
        },
        del(key) {
          recorded.add(key, undefined)
          batch.del(key)
        },
        async write() {
          await readBefore()
          await batch.write()
        },
      }
    },
    async put(key, value) {
      await readBefore()
      recorded.add(key, value)
      await store.put(key, value)
    },
    async del(key) {
      await readBefore()
      recorded.add(key, undefined)
      await store.del(key)
    },
    close,
  }
}

function isSame(left: RowsState, right: RowsState | undefined): boolean {
  return left.head === right?.head && left.reflogMark === right.reflogMark
}

async function readState(store: Store): Promise<RowsState | undefined> {
  const [head, reflogMark] = await store.getMany(['wal_head', 'reflog_mark'].map(metaKey))
  return head === undefined ? undefined : { head: `${head}`, reflogMark: `${reflogMark ?? ''}` }
}

interface PlainState {
  readonly schema: string
  readonly state: RowsState
  readonly issues: number
  readonly events: number
}

/** Undefined for a view without rows files. */
async function readPlainState(store: Store): Promise<PlainState | undefined> {
  const names = ['schema', 'issue_count', 'event_count', ...unusualMeta]
  const [schema, issues, events, ...unusual] = await store.getMany(names.map(metaKey))
  if (unusual.some((value) => value !== undefined)) return undefined
  const state = await readState(store)
  return state && { schema: `${schema}`, state, issues: Number(issues), events: Number(events) }
}

function hasPart(found: PlainState, part: RowsPart): boolean {
  return part === listPart ? found.issues <= largeRowsIssuesMax : isSmall(found)
}

function isSmall({ issues, events }: PlainState): boolean {
  return issues <= rowsIssuesMax && events * eventBytesMin <= rowsBytesMax
}

async function copyFamilies(store: Store, { families }: RowsPart): Promise<Map<string, readonly string[]>> {
  const copied = new Map<string, readonly string[]>()
  for (const family of families) {
    const start = Buffer.from(family.name)
    const end = Buffer.from(start)
    end[end.length - 1] = (end.at(-1) as number) + 1
    const entries = await store.iterator({ gte: start, lt: end, highWaterMarkBytes: rowsBytesMax }).all()
    copied.set(
      family.name,
      entries.map(([key, value]) => formatLine(key.toString('hex', start.length), encodeValue(family, value))),
    )
  }
  return copied
}
