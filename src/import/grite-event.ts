/**
 * One event of a JSON export of grite or the Rust tool (spec §6.6):
 *
 *     { "event_id", "issue_id", "actor", "ts_unix_ms", "parent"?, "kind", "sig"? }
 *
 * Ours has `sig` as hex and all symbols of a ContextUpdated. An event whose id does not match the hash of its content
 * is refused, never repaired.
 */
import {
  type DependencyType,
  dependencyTypes,
  type Event,
  type EventBody,
  type EventKindName,
  eventKindNames,
  eventKinds,
  GriteError,
  type IssueStateWord,
  identifyEvent,
  issueStates,
  limits,
  parseActorId,
  parseEventId,
  parseHex,
  parseIssueId,
  parseSha256,
  type SourceSymbol,
  shortenText,
} from '../model/index.ts'

type Entry = Readonly<Record<string, unknown>>

function isEntry(value: unknown): value is Entry {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The id that an event states, shortened if long; null without one. */
export function statedEventId(entry: unknown): string | null {
  return isEntry(entry) && typeof entry.event_id === 'string' ? shortenText(entry.event_id, 80) : null
}

/** Reads an event, or says why it cannot be restored. Never throws on foreign values. */
export function readExportedEvent(entry: unknown): Event | string {
  if (!isEntry(entry)) return 'not an object'
  try {
    const stated = parseEventId(requireText(entry, 'event_id'))
    const event = identifyEvent({
      issueId: parseIssueId(requireText(entry, 'issue_id')),
      actor: parseActorId(requireText(entry, 'actor')),
      tsUnixMs: requireTime(entry),
      parent: entry.parent === undefined || entry.parent === null ? null : parseEventId(requireText(entry, 'parent')),
      body: readKind(entry.kind),
    })
    if (event.eventId !== stated) return 'event_id does not match its content'
    return { ...event, sig: readSignature(entry.sig) }
  } catch (error) {
    if (error instanceof UnreadableError || error instanceof GriteError) return error.message
    throw error
  }
}

/** Never leaves this module. */
class UnreadableError extends Error {}

function requireText(entry: Entry, key: string): string {
  const value = entry[key]
  if (typeof value !== 'string') throw new UnreadableError(`${key} is not a text`)
  return value
}

function requireTime(entry: Entry): number {
  const time = entry.ts_unix_ms
  if (!Number.isSafeInteger(time) || (time as number) < 0 || (time as number) > limits.tsUnixMsMax) {
    throw new UnreadableError('ts_unix_ms is not an unsigned integer below 2^53')
  }
  return time as number
}

function readSignature(value: unknown): Uint8Array | null {
  if (value === undefined || value === null) return null
  const bytes = typeof value === 'string' ? parseHex(value) : undefined
  if (bytes === undefined) throw new UnreadableError('sig is not hexadecimal')
  return bytes
}

function readKind(kind: unknown): EventBody {
  const [name, ...rest] = isEntry(kind) ? Object.keys(kind) : []
  if (!isEntry(kind) || name === undefined || rest.length > 0) throw new UnreadableError('kind is not one named object')
  if (!eventKindNames.includes(name as EventKindName))
    throw new UnreadableError(`unknown kind ${shortenText(name, 80)}`)
  const stated = kind[name]
  if (!isEntry(stated)) throw new UnreadableError(`${name} is not an object`)
  const fields = Object.entries(eventKinds[name as EventKindName].fields)
  return Object.fromEntries([
    ['type', name],
    ...fields.map(([field, type]) => [field, readField(stated, field, type)]),
  ]) as unknown as EventBody
}

type FieldType = { [Name in EventKindName]: (typeof eventKinds)[Name]['fields'] }[EventKindName] extends infer Fields
  ? Fields extends Readonly<Record<string, infer Type>>
    ? Type
    : never
  : never

function readField(stated: Entry, field: string, type: FieldType): unknown {
  const value = Object.hasOwn(stated, field) ? stated[field] : undefined
  switch (type) {
    case 'text':
      return requireText(stated, field)
    case 'optionalText':
      return value === null || value === undefined ? null : requireText(stated, field)
    case 'issueState':
      return requireWord<IssueStateWord>(value, issueStates, field)
    case 'dependencyType':
      return requireWord<DependencyType>(value, dependencyTypes, field)
    case 'issueId':
      return parseIssueId(requireText(stated, field))
    case 'sha256':
      return parseSha256(requireText(stated, field))
    case 'sortedTexts':
      if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) {
        throw new UnreadableError(`${field} is not an array of texts`)
      }
      return value
    case 'sortedSymbols':
      return readSymbols(value, stated.symbol_count)
  }
}

function requireWord<Word extends string>(value: unknown, words: readonly Word[], field: string): Word {
  if (!words.includes(value as Word)) throw new UnreadableError(`${field} is not one of ${words.join(', ')}`)
  return value as Word
}

/** The Rust tool exports only the symbol count; a count of zero can still be restored. */
function readSymbols(value: unknown, count: unknown): readonly SourceSymbol[] {
  if (value === undefined && count === 0) return []
  if (value === undefined) throw new UnreadableError('symbols are not in the export')
  if (!Array.isArray(value)) throw new UnreadableError('symbols is not an array')
  return value.map((symbol) => {
    if (!isEntry(symbol)) throw new UnreadableError('a symbol is not an object')
    return {
      name: requireText(symbol, 'name'),
      kind: requireText(symbol, 'kind'),
      lineStart: requireU32(symbol, 'line_start'),
      lineEnd: requireU32(symbol, 'line_end'),
    }
  })
}

function requireU32(entry: Entry, key: string): number {
  const value = entry[key]
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > 0xffff_ffff) {
    throw new UnreadableError(`${key} is not an unsigned 32-bit integer`)
  }
  return value as number
}
