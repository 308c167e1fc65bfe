import { parse, stringify, TomlError } from 'smol-toml'
import { decodeUtf8, readSmallFile } from '../../git/index.ts'
import { ConfigError, describeForeign, limits, StorageError, shortenText } from '../../model/index.ts'

export type TomlTable = Readonly<Record<string, unknown>>

/** Maximum length, in UTF-16 units, of the parser's message, which quotes the file. */
const reasonLengthMax = 200

/**
 * Reads a TOML file; undefined when it does not exist.
 * @throws {ConfigError} naming file and line when it is not valid TOML
 * @throws {StorageError} when it cannot be read
 */
export async function readToml(path: string): Promise<TomlTable | undefined> {
  const text = readTomlText(path)
  if (text === undefined) return undefined
  try {
    return parse(text, { maxDepth: limits.foreignDepthMax })
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const [reason = ''] = error.message.replace(/^Invalid TOML document: /, '').split('\n')
    throw new ConfigError(
      `${path}, line ${error.line}, column ${error.column}: ${shortenText(reason, reasonLengthMax)}`,
      {
        details: { file: path, line: error.line, column: error.column },
        cause: error,
      },
    )
  }
}

/**
 * Reads the text of a TOML file; undefined when it does not exist.
 * @throws {StorageError} when it cannot be read; @throws {ConfigError} when it is not UTF-8
 */
export function readTomlText(path: string): string | undefined {
  const bytes = readSmallFile(path, limits.configBytesMax)
  if (bytes === null) return undefined
  if ('unread' in bytes) {
    throw new StorageError(`${path} cannot be read: ${bytes.unread}`, { details: { path } })
  }
  const text = decodeUtf8(bytes)
  if (text === null) throw new ConfigError(`${path} is not UTF-8`, { details: { file: path } })
  return text
}

export function formatToml(table: TomlTable): string {
  return stringify(table as Record<string, unknown>)
}

export type TomlValue = string | number | boolean
/** What a file may hold below a key: a list is no setting, but kept by a command. */
export type TomlEntry = TomlValue | readonly string[]

/**
 * Sets one top-level key of a TOML text and preserves every other character, including comments.
 * The text must be valid TOML.
 */
export function setTopLevelKey(text: string, key: string, value: TomlEntry): string {
  const line = formatToml({ [key]: value }).trimEnd()
  const [head, tail] = splitAtTables(text)
  const pattern = linePattern(key)
  if (pattern.test(head)) return head.replace(pattern, () => line) + tail
  return `${line}\n${text}`
}

/** Up to the first table of a text, and from there on. */
function splitAtTables(text: string): readonly [string, string] {
  const end = /^[ \t]*\[/m.exec(text)?.index ?? text.length
  return [text.slice(0, end), text.slice(end)]
}

const namePattern = (word: string) => `(?:${word}|"${word}"|'${word}')`
const linePattern = (key: string) => new RegExp(`^[ \\t]*${namePattern(key)}[ \\t]*=.*$`, 'm')

/**
 * Sets one key of a table of a TOML text and preserves every other character. Appends the table if it does not exist. The
 * text must be valid TOML. Undefined if the table has a form that this function cannot change, such as an inline table.
 */
export function setTableKey(text: string, table: string, key: string, value: TomlEntry): string | undefined {
  const line = formatToml({ [key]: value }).trimEnd()
  const header = findHeader(text, table)
  const changed = header === null ? appendTable(text, `[${table}]\n${line}\n`) : setBelow(text, header, key, line)
  return isSame(tryParse(changed), withKey(parse(text), table, key, value)) ? changed : undefined
}

/**
 * Takes a key, of a table or of the top level, out of a TOML text and leaves every other character as it is. The text
 * must be valid TOML. Undefined where it is written in a way that this cannot change.
 */
export function unsetKey(text: string, table: string | null, key: string): string | undefined {
  const header = table === null ? undefined : findHeader(text, table)
  if (header === null) return undefined
  const start = header === undefined ? 0 : header.index + header[0].length
  const [body, tail] = splitAtTables(text.slice(start))
  const lineWithEnd = new RegExp(`${linePattern(key).source}\\n?`, 'm')
  const changed = text.slice(0, start) + body.replace(lineWithEnd, '') + tail
  return isSame(tryParse(changed), withoutKey(parse(text), table, key)) ? changed : undefined
}

function findHeader(text: string, table: string): RegExpExecArray | null {
  return new RegExp(`^[ \\t]*\\[[ \\t]*${namePattern(table)}[ \\t]*\\][ \\t]*(?:#.*)?$`, 'm').exec(text)
}

function appendTable(text: string, table: string): string {
  if (text === '') return table
  return `${text}${text.endsWith('\n') ? '' : '\n'}\n${table}`
}

/** Replaces or inserts the line of a key below a header. */
function setBelow(text: string, header: RegExpExecArray, key: string, line: string): string {
  const start = header.index + header[0].length
  const head = text.slice(0, start)
  const [body, tail] = splitAtTables(text.slice(start))
  const pattern = linePattern(key)
  if (pattern.test(body)) return head + body.replace(pattern, () => line) + tail
  return `${head}\n${line}${body}${tail}`
}

function tryParse(text: string): TomlTable | undefined {
  try {
    return parse(text) as TomlTable
  } catch {
    return undefined
  }
}

function withKey(tables: TomlTable, table: string, key: string, value: TomlEntry): TomlTable {
  return { ...tables, [table]: { ...(tables[table] as TomlTable | undefined), [key]: value } }
}

function withoutKey(tables: TomlTable, table: string | null, key: string): TomlTable {
  const { [key]: _, ...rest } = (table === null ? tables : tables[table]) as TomlTable
  return table === null ? rest : { ...tables, [table]: rest }
}

/** Compares tables by their smol-toml form, ignoring the order of keys. */
function isSame(left: TomlTable | undefined, right: TomlTable): boolean {
  return left !== undefined && formatToml(sorted(left)) === formatToml(sorted(right))
}

function sorted(table: TomlTable): TomlTable {
  const entries = Object.entries(table).sort(([left], [right]) => (left < right ? -1 : 1))
  return Object.fromEntries(entries.map(([key, value]) => [key, isPlainTable(value) ? sorted(value) : value]))
}

function isPlainTable(value: unknown): value is TomlTable {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

/** @throws {ConfigError} naming file, key and the allowed values */
export function requireTomlText(file: string, table: TomlTable, key: string): string | undefined {
  const value = table[key]
  if (value === undefined || typeof value === 'string') return value
  throw new ConfigError(`${file}: ${key} must be text, got ${describeForeign(value)}`, {
    details: { file, field: key },
  })
}
