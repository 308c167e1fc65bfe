/**
 * A read-only store over the rows files. They have the keys of some families; reading any other is an error, see
 * `isNotInRows`.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { privatePermissions, type SharedPermissions } from '../git/index.ts'
import { applyEvent, decodeRecord, emptyIssueState, formatIssueState, type IssueId } from '../model/index.ts'
import { eventKey, eventsOfIssue, issueIdOfStateKey, parseIssueEventKey } from './keys.ts'
import { changedRowsMax, changeList, encodeList, type ListText, readList } from './list-file.ts'
import { replaceFile } from './replace-file.ts'
import {
  eventsPart,
  issueRows,
  listFileName,
  listPart,
  type RowsFamily,
  type RowsUse,
  rowsFamilyOf,
} from './rows-families.ts'
import { openRowsFile, type RowsFile } from './rows-file.ts'
import { type FoundLine, keyIn, placeOf, valueIn } from './rows-section.ts'
import type { Scan, ScanOptions, Store } from './store.ts'

/**
 * A read needs keys that the rows file does not have. Its code is of the kind of a failing store, after which a command is
 * run again.
 */
class NotInRowsError extends Error {
  override readonly name = 'NotInRowsError'
  readonly code = 'LEVEL_NOT_IN_ROWS'
}

export function isNotInRows(error: unknown): boolean {
  return error instanceof NotInRowsError
}

/** A family of this many bytes for each key read so far is read as a whole. */
const bytesPerRead = 8 * 1024

/** The store over the files in a `level` folder; undefined when they are missing, damaged, or of another schema. */
export function openRowsStore(
  folder: string,
  schema: number,
  use: RowsUse,
  permissions: SharedPermissions = privatePermissions,
): Store | undefined {
  if (use === 'events' && !existsSync(join(folder, eventsPart.fileName))) return undefined
  const rows = openRowsFile(join(folder, listPart.fileName))
  if (rows?.schema === `${schema}`) return rowsStore({ folder, permissions }, rows, () => openEvents(folder, rows))
  rows?.close()
  return undefined
}

/** The file with the events, if it is of the same state. */
function openEvents(folder: string, { schema, state }: RowsFile): RowsFile | undefined {
  const events = openRowsFile(join(folder, eventsPart.fileName))
  const isSame =
    events?.schema === schema && events.state.head === state.head && events.state.reflogMark === state.reflogMark
  if (isSame) return events
  events?.close()
  return undefined
}

interface RowsPlace {
  readonly folder: string
  readonly permissions: SharedPermissions
}

function rowsStore(
  { folder, permissions }: RowsPlace,
  rows: RowsFile,
  openEventsFile: () => RowsFile | undefined,
): Store {
  /** Lines of the families that were read as a whole. */
  const whole = new Map<string, readonly string[]>()
  const singleReads = new Map<string, number>()
  let events: RowsFile | undefined

  function familyOf(key: Buffer | undefined): RowsFamily {
    const found = key && rowsFamilyOf(key)
    if (found !== undefined) return found
    throw new NotInRowsError(`the rows files have no ${key?.toString('latin1')}`)
  }

  function read(family: RowsFamily, gte: string, lt: string | undefined): readonly string[] {
    const { name } = family
    const known = whole.get(name)
    if (known !== undefined) return known.slice(placeOf(known, gte), lt === undefined ? undefined : placeOf(known, lt))
    const lines = fileOf(family)?.readLines(name, gte, lt)
    if (lines === undefined) throw new NotInRowsError(`the rows files have no ${name}`)
    if (gte === '' && lt === undefined) whole.set(name, lines)
    return lines
  }

  function fileOf(family: RowsFamily): RowsFile | undefined {
    if (listPart.families.includes(family)) return rows
    events ??= openEventsFile()
    return events
  }

  /** Folds the events of an issue. */
  function foldState(issueId: IssueId): Buffer | undefined {
    const { family, lines } = find(eventsOfIssue(issueId))
    if (lines.length === 0) return undefined
    const state = emptyIssueState(issueId)
    const toKey = openKeys(family)
    for (const line of lines) {
      const record = get(eventKey(parseIssueEventKey(toKey(line))))
      const decoded = record === undefined ? undefined : decodeRecord(record)
      if (decoded === undefined || !('event' in decoded)) throw new NotInRowsError(`the rows files lack an event`)
      applyEvent(state, decoded.event)
    }
    return Buffer.from(formatIssueState(state))
  }

  /** Writes the list of the base for later readers, and returns it. */
  function makeList(): ListText | undefined {
    const lines = rows.readBase(issueRows)
    if (lines === undefined) return undefined
    const { bytes, list } = encodeList(rows.schema, rows.baseState, lines.map(valueIn))
    try {
      replaceFile(join(folder, listFileName), bytes, permissions)
    } catch {
      // No room or no permission.
    }
    return list
  }

  function get(key: Buffer): Buffer | undefined {
    const stateOf = issueIdOfStateKey(key)
    if (stateOf !== undefined) return foldState(stateOf)
    const family = familyOf(key)
    const { name } = family
    const count = (singleReads.get(name) ?? 0) + 1
    singleReads.set(name, count)
    if (!whole.has(name) && count * bytesPerRead > (fileOf(family)?.bytesOf(name) ?? 0)) read(family, '', undefined)
    const hex = key.toString('hex', name.length)
    // The next key at the earliest.
    const [line] = read(family, hex, `${hex}0`)
    return line === undefined ? undefined : decode(line, family)
  }

  /** The lines of a range, which is in one family. */
  function find({ gte, lt, reverse = false, limit = -1 }: ScanOptions): {
    readonly family: RowsFamily
    readonly lines: readonly string[]
  } {
    const family = familyOf(gte)
    const { name } = family
    const isBelow = lt !== undefined && lt.toString('latin1', 0, name.length) === name
    const found = read(
      family,
      (gte as Buffer).toString('hex', name.length),
      isBelow ? lt.toString('hex', name.length) : undefined,
    )
    const lines = reverse ? found.toReversed() : found
    return { family, lines: limit < 0 ? lines : lines.slice(0, limit) }
  }

  function scan<Item>(options: ScanOptions, open: (family: RowsFamily) => (line: string) => Item): Scan<Item> {
    return toScan(() => {
      const { family, lines } = find(options)
      return lines.map(open(family))
    })
  }

  const openValues = (family: RowsFamily) => (line: string) => decode(line, family)

  const store: Store = {
    isOnDisk: true,
    get: async (key) => get(key),
    getMany: async (keys) => keys.map(get),
    keys: (options = {}) => scan(options, openKeys),
    firstKeys: async (ranges, limit) =>
      ranges.map((range) => {
        const { family, lines } = find({ ...range, limit })
        return lines.map(openKeys(family))
      }),
    values: (options = {}) => scan(options, openValues),
    texts: (options = {}) => scan(options, () => valueIn),
    iterator: (options = {}) =>
      scan(options, (family) => {
        const toKey = openKeys(family)
        return (line): [Buffer, Buffer] => [toKey(line), decode(line, family)]
      }),
    findRows(ids) {
      // Read as a whole, the family takes less time.
      if (whole.has(issueRows) || ids.length * bytesPerRead > rows.bytesOf(issueRows)) return undefined
      const found: (FoundLine | null)[] = []
      for (const id of ids) {
        const line = rows.findLine(issueRows, id)
        if (line === undefined) return undefined
        found.push(line)
      }
      return found
    },
    listText() {
      const changes = rows.changesOf(issueRows)
      if (changes === undefined || changes.size > changedRowsMax) return undefined
      const base = readList(join(folder, listFileName), rows.schema, rows.baseState) ?? makeList()
      return base === undefined || changes.size === 0 ? base : changeList(base, changes)
    },
    startBatch() {
      throw new NotInRowsError('a rows file is read-only')
    },
    compactLog: async () => {},
    put: refuseWrite,
    del: refuseWrite,
    snapshot: () => ({ ...store, close: async () => {} }),
    async close() {
      rows.close()
      events?.close()
    },
  }
  return store
}

async function refuseWrite(): Promise<never> {
  throw new NotInRowsError('a rows file is read-only')
}

function openKeys({ name }: RowsFamily): (line: string) => Buffer {
  const start = Buffer.from(name).toString('hex')
  return (line) => Buffer.from(start + keyIn(line), 'hex')
}

function decode(line: string, { isBinary }: RowsFamily): Buffer {
  return Buffer.from(valueIn(line), isBinary ? 'base64' : 'utf8')
}

function toScan<Item>(read: () => Item[]): Scan<Item> {
  let items: Item[] | undefined
  let next = 0
  const all = () => {
    items ??= read()
    return items
  }
  return {
    next: async () => all()[next++],
    async all() {
      const rest = all().slice(next)
      next = all().length
      return rest
    },
    async close() {
      items = []
    },
    async *[Symbol.asyncIterator]() {
      while (next < all().length) yield all()[next++] as Item
    },
  }
}
