/**
 * A read-only store over the rows files. They have the keys of some families; reading any other is an error, see
 * `isNotInRows`.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { applyEvent, decodeRecord, emptyIssueState, formatIssueState, type IssueId } from '../model/index.ts'
import { eventKey, eventsOfIssue, issueIdOfStateKey, parseIssueEventKey } from './keys.ts'
import { eventsPart, listPart, type RowsFamily, rowsParts } from './rows-families.ts'
import { type RowsFile, readRowsFile } from './rows-file.ts'
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

interface OpenFamily {
  readonly isBinary: boolean
  readonly keys: readonly string[]
  readonly values: readonly string[]
}

/** The store over the files in a `level` folder; undefined when they are missing, damaged, or of another schema. */
export function openRowsStore(folder: string, schema: number): Store | undefined {
  const rows = readFile(join(folder, listPart.fileName))
  return rows?.schema === `${schema}` ? rowsStore(rows, () => readEvents(folder, rows)) : undefined
}

function readFile(path: string): RowsFile | undefined {
  try {
    return readRowsFile(readFileSync(path))
  } catch {
    return undefined
  }
}

/** The file with the events, if it is of the same state. */
function readEvents(folder: string, { schema, state }: RowsFile): RowsFile | undefined {
  const events = readFile(join(folder, eventsPart.fileName))
  const isSame =
    events?.schema === schema && events.state.head === state.head && events.state.reflogMark === state.reflogMark
  return isSame ? events : undefined
}

function rowsStore(rows: RowsFile, readEventsFile: () => RowsFile | undefined): Store {
  const opened = new Map<string, OpenFamily>()
  let events: RowsFile | undefined

  function open(family: RowsFamily): OpenFamily {
    const { name, isBinary } = family
    const known = opened.get(name)
    if (known !== undefined) return known
    const isOfLists = listPart.families.includes(family)
    if (!isOfLists) events ??= readEventsFile()
    const entries = (isOfLists ? rows : events)?.readFamily(name)
    if (entries === undefined) throw new NotInRowsError(`the rows files have no ${name}`)
    const made = { isBinary, keys: entries.map(([key]) => key), values: entries.map(([, value]) => value) }
    opened.set(name, made)
    return made
  }

  function familyOf(key: Buffer | undefined): RowsFamily {
    for (const { families } of rowsParts) {
      const found = families.find(({ name }) => key?.toString('latin1', 0, name.length) === name)
      if (found !== undefined) return found
    }
    throw new NotInRowsError(`the rows files have no ${key?.toString('latin1')}`)
  }

  /** Folds the events of an issue. */
  function foldState(issueId: IssueId): Buffer | undefined {
    const { family, places, name } = find(eventsOfIssue(issueId))
    if (places.length === 0) return undefined
    const state = emptyIssueState(issueId)
    for (const place of places) {
      const record = get(eventKey(parseIssueEventKey(keyAt(name, family, place))))
      const decoded = record === undefined ? undefined : decodeRecord(record)
      if (decoded === undefined || !('event' in decoded)) throw new NotInRowsError(`the rows files lack an event`)
      applyEvent(state, decoded.event)
    }
    return Buffer.from(formatIssueState(state))
  }

  function get(key: Buffer): Buffer | undefined {
    const stateOf = issueIdOfStateKey(key)
    if (stateOf !== undefined) return foldState(stateOf)
    const family = familyOf(key)
    const { keys, values, isBinary } = open(family)
    const hex = key.toString('hex', family.name.length)
    const place = placeOf(keys, hex)
    return keys[place] === hex ? decode(values[place] as string, isBinary) : undefined
  }

  /** Places of a range in a family. */
  function find({ gte, lt, reverse = false, limit = -1 }: ScanOptions): {
    readonly name: string
    readonly family: OpenFamily
    readonly places: readonly number[]
  } {
    const wanted = familyOf(gte)
    const { name } = wanted
    const family = open(wanted)
    const start = placeOf(family.keys, (gte as Buffer).toString('hex', name.length))
    const isBelow = lt !== undefined && lt.toString('latin1', 0, name.length) === name
    const end = isBelow ? placeOf(family.keys, lt.toString('hex', name.length)) : family.keys.length
    const places = Array.from({ length: Math.max(0, end - start) }, (_, index) => start + index)
    if (reverse) places.reverse()
    return { name, family, places: limit < 0 ? places : places.slice(0, limit) }
  }

  function scan<Item>(
    options: ScanOptions,
    pick: (name: string, family: OpenFamily, place: number) => Item,
  ): Scan<Item> {
    return toScan(() => {
      const { name, family, places } = find(options)
      return places.map((place) => pick(name, family, place))
    })
  }

  const keyAt = (name: string, { keys }: OpenFamily, place: number): Buffer =>
    Buffer.concat([Buffer.from(name), Buffer.from(keys[place] as string, 'hex')])
  const valueAt = (_name: string, { values, isBinary }: OpenFamily, place: number): Buffer =>
    decode(values[place] as string, isBinary)

  const store: Store = {
    isOnDisk: true,
    get: async (key) => get(key),
    getMany: async (keys) => keys.map(get),
    keys: (options = {}) => scan(options, keyAt),
    values: (options = {}) => scan(options, valueAt),
    texts: (options = {}) => scan(options, (_name, { values }, place) => values[place] as string),
    iterator: (options = {}) => scan(options, (...at): [Buffer, Buffer] => [keyAt(...at), valueAt(...at)]),
    startBatch() {
      throw new NotInRowsError('a rows file is read-only')
    },
    compactLog: async () => {},
    put: refuseWrite,
    del: refuseWrite,
    snapshot: () => store,
    close: async () => {},
  }
  return store
}

async function refuseWrite(): Promise<never> {
  throw new NotInRowsError('a rows file is read-only')
}

function decode(value: string, isBinary: boolean): Buffer {
  return Buffer.from(value, isBinary ? 'base64' : 'utf8')
}

/** The place of the first key that is not below this one. */
function placeOf(keys: readonly string[], key: string): number {
  let [low, high] = [0, keys.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((keys[middle] as string) < key) low = middle + 1
    else high = middle
  }
  return low
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
