import { limits } from '../../model/index.ts'

/** The parts of a commit's meta.json that a re-append of its events carries (docs/format.md#re-append); bounded. */
export interface CarriedMeta {
  /** Idempotency keys, as found. */
  readonly requests: readonly unknown[]
  readonly requestsBytes: number
  /** Unknown keys, including those that an earlier re-append carried. */
  readonly keys: ReadonlyMap<string, CarriedValue>
  readonly keysBytes: number
  /** Parts too large or too deep to carry; null when there are none. */
  readonly leftOut: string | null
}

export interface CarriedValue {
  readonly value: unknown
  /** The value as pretty JSON. */
  readonly text: string
  /** Maximum bytes of key and value in a meta.json with little indentation. */
  readonly bytes: number
}

/** Keys that describe the commit itself; most commits have no others. */
const plainMetaKeys = new Set(['schema_version', 'actor_id', 'chunk_hash', 'prev_wal'])
const ownMetaKeys = new Set([...plainMetaKeys, 'requests', 'carried'])

/** Indentation, comma and colon of one entry. */
const entryBytes = 8

const nothing: CarriedMeta = { requests: [], requestsBytes: 0, keys: new Map(), keysBytes: 0, leftOut: null }

/** Selects the parts of a meta.json that a re-append carries. Beyond the limits, carries as much as fits. */
export function carriedMetaOf(meta: ReadonlyMap<string, unknown> | null): CarriedMeta {
  if (meta === null || [...meta.keys()].every((key) => plainMetaKeys.has(key))) return nothing
  const given = meta.get('requests')
  const requests: unknown[] = []
  let requestsBytes = 0
  let requestsLeft = 0
  for (const value of Array.isArray(given) ? given : []) {
    const entry = measure('', value, limits.carriedRequestsBytesMax - requestsBytes)
    if (entry === null) requestsLeft += 1
    else requestsBytes += entry.bytes
    if (entry !== null) requests.push(value)
  }
  const keys = new Map<string, CarriedValue>()
  let keysBytes = 0
  let keysLeft = 0
  for (const [key, value] of unknownKeys(meta)) {
    const entry = measure(JSON.stringify(key), value, limits.carriedKeysBytesMax - keysBytes)
    if (entry === null) keysLeft += 1
    else keysBytes += entry.bytes
    if (entry !== null) keys.set(key, entry)
  }
  const leftOut = requestsLeft + keysLeft === 0 ? null : `${requestsLeft} of its requests and ${keysLeft} unknown keys`
  return { requests, requestsBytes, keys, keysBytes, leftOut }
}

/** Keys from an earlier re-append, then unknown keys. */
function unknownKeys(meta: ReadonlyMap<string, unknown>): ReadonlyMap<string, unknown> {
  const before = meta.get('carried')
  const isTable = typeof before === 'object' && before !== null && !Array.isArray(before)
  const unknown = [...meta].filter(([key]) => !ownMetaKeys.has(key))
  return new Map([...(isTable ? Object.entries(before) : []), ...unknown])
}

/** Null for an entry that is too deep to be written, or larger than `bytesMax`. */
function measure(name: string, value: unknown, bytesMax: number): CarriedValue | null {
  // Indented nested lists grow with the square of their depth, and very deep ones overflow the stack.
  if (!isShallow(value, limits.carriedNestingMax)) return null
  const text = JSON.stringify(value, null, 2)
  const bytes = Buffer.byteLength(name) + Buffer.byteLength(text) + entryBytes
  return bytes > bytesMax ? null : { value, text, bytes }
}

function isShallow(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  return levels > 0 && Object.values(value).every((item) => isShallow(item, levels - 1))
}
