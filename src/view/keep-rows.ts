/**
 * Keeps the rows files of a view up to date: on close, appends the changes of this process, or writes the files anew.
 *
 * Invariants
 * - Only a process that has the LevelDB directory open, and thereby locked, writes the files.
 * - A file names the state that it is a copy of. A process that was killed leaves an older one, which no reader uses.
 * - An error leaves the files as they are, or removes them: they are a copy.
 */
import { appendFileSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { privatePermissions, randomBytes, type SharedPermissions } from '../git/index.ts'
import { metaKey } from './keys.ts'
import {
  type RowsFamily,
  type RowsPart,
  rowsBytesMax,
  rowsChangesBytesMax,
  rowsIssuesMax,
  rowsParts,
} from './rows-families.ts'
import { type Change, type Entry, encodeBase, encodeChange, type RowsState, readRowsFile } from './rows-file.ts'
import type { Store, StoreBatch } from './store.ts'

type StoreOperation =
  | { readonly type: 'put'; readonly key: Buffer; readonly value: Buffer }
  | { readonly type: 'del'; readonly key: Buffer }

/** An event takes at least this much of a file. */
const eventBytesMin = 200

/** Metadata of views that differ from their log, or whose answers come with a warning: they have no rows files. */
const unusualMeta = ['lost_heads', 'held_heads', 'has_copies', 'log_gaps', 'apart_heads']

/** @param folder - the `level` folder */
export function keepRows(
  store: Store,
  {
    folder,
    permissions = privatePermissions,
  }: { readonly folder: string; readonly permissions?: SharedPermissions | undefined },
): Store {
  let before: Promise<RowsState | undefined> | undefined
  let operations: StoreOperation[] = []
  let operationsBytes = 0

  /** The state before the first change. */
  async function readBefore(): Promise<void> {
    before ??= readState(store)
    await before
  }

  /** Copies the buffers: the caller may reuse them. */
  function record(key: Buffer, value?: Buffer): void {
    operationsBytes += key.length + (value?.length ?? 0)
    if (operationsBytes > rowsChangesBytesMax) operations = []
    else if (value === undefined) operations.push({ type: 'del', key: Buffer.from(key) })
    else operations.push({ type: 'put', key: Buffer.from(key), value: Buffer.from(value) })
  }

  async function save(): Promise<void> {
    const state = await readPlainState(store)
    if (state === undefined) {
      for (const { fileName } of rowsParts) rmSync(join(folder, fileName), { force: true })
      return
    }
    const start = before === undefined ? state : await before
    const isRecorded = operationsBytes <= rowsChangesBytesMax
    for (const part of rowsParts) {
      const path = join(folder, part.fileName)
      const file = readFile(path)
      if (file !== undefined && isSame(file.state, state)) continue
      if (file !== undefined && isSame(file.state, start) && isRecorded && file.changesBytes <= rowsChangesBytesMax) {
        const change = encodeChange(state, changesOf(part, operations))
        if (change !== undefined) {
          appendFileSync(path, change)
          continue
        }
      }
      await writeBase(store, part, state, path, permissions)
    }
  }

  return {
    ...store,
    startBatch(): StoreBatch {
      const batch = store.startBatch()
      return {
        put(key, value) {
          record(key, value)
          batch.put(key, value)
        },
        del(key) {
          record(key)
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
      record(key, value)
      await store.put(key, value)
    },
    async del(key) {
      await readBefore()
      record(key)
      await store.del(key)
    },
    async close() {
      try {
        await save()
      } catch {
        // No room, no permission, or a store that cannot be read: whoever reads next finds out.
      }
      await store.close()
    },
  }
}

function isSame(left: RowsState, right: RowsState | undefined): boolean {
  return left.head === right?.head && left.reflogMark === right.reflogMark
}

function readFile(path: string) {
  try {
    return readRowsFile(readFileSync(path))
  } catch {
    return undefined
  }
}

async function readState(store: Store): Promise<RowsState | undefined> {
  const [head, reflogMark] = await store.getMany(['wal_head', 'reflog_mark'].map(metaKey))
  return head === undefined ? undefined : { head: `${head}`, reflogMark: `${reflogMark ?? ''}` }
}

/** Undefined for a view without rows files. */
async function readPlainState(store: Store): Promise<RowsState | undefined> {
  const [issues, events, ...unusual] = await store.getMany(['issue_count', 'event_count', ...unusualMeta].map(metaKey))
  if (unusual.some((value) => value !== undefined)) return undefined
  if (Number(issues) > rowsIssuesMax || Number(events) * eventBytesMin > rowsBytesMax) return undefined
  return readState(store)
}

async function writeBase(
  store: Store,
  part: RowsPart,
  state: RowsState,
  path: string,
  permissions: SharedPermissions,
): Promise<void> {
  const base = await copyFamilies(store, part, state)
  if (base === undefined) {
    rmSync(path, { force: true })
    return
  }
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  try {
    writeFileSync(draft, base)
    permissions.adjust(draft)
    renameSync(draft, path)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
}

/** Undefined when the part is too large. */
async function copyFamilies(store: Store, { families }: RowsPart, state: RowsState): Promise<Buffer | undefined> {
  const copied = new Map<string, Entry[]>()
  let bytes = 0
  for (const family of families) {
    const entries: Entry[] = []
    const start = Buffer.from(family.name)
    const end = Buffer.from(start)
    end[end.length - 1] = (end.at(-1) as number) + 1
    for (const [key, value] of await store.iterator({ gte: start, lt: end, highWaterMarkBytes: rowsBytesMax }).all()) {
      bytes += 2 * key.length + value.length
      if (bytes > rowsBytesMax) return undefined
      entries.push([key.toString('hex', start.length), encodeValue(family, value)])
    }
    copied.set(family.name, entries)
  }
  const schema = `${await store.get(metaKey('schema'))}`
  return encodeBase(schema, state, copied)
}

function encodeValue({ isBinary }: RowsFamily, value: Buffer): string {
  return value.toString(isBinary ? 'base64' : 'utf8')
}

function changesOf({ families }: RowsPart, operations: readonly StoreOperation[]): Change[] {
  return operations.flatMap((operation) => {
    const { key } = operation
    const family = families.find(({ name }) => key.toString('latin1', 0, name.length) === name)
    if (family === undefined) return []
    const value = operation.type === 'put' ? encodeValue(family, operation.value) : undefined
    return [{ family: family.name, keyHex: key.toString('hex', family.name.length), value }]
  })
}
