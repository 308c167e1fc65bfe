import { readFileSync } from 'node:fs'
import { parse, stringify, TomlError } from 'smol-toml'
import { ConfigError } from '../../model/index.ts'

export type TomlTable = Readonly<Record<string, unknown>>

/**
 * Reads a TOML file; undefined when it does not exist.
 * @throws {ConfigError} naming file and line when it is not valid TOML or cannot be read
 */
export async function readToml(path: string): Promise<TomlTable | undefined> {
  let text: string
  try {
    // A small file is read at once in a tenth of the time that threads take to tell of it.
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw new ConfigError(`${path} cannot be read: ${(error as Error).message}`, {
      details: { file: path },
      cause: error,
    })
  }
  try {
    return parse(text) as TomlTable
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const [reason] = error.message.replace(/^Invalid TOML document: /, '').split('\n')
    throw new ConfigError(`${path}, line ${error.line}, column ${error.column}: ${reason}`, {
      details: { file: path, line: error.line, column: error.column },
      cause: error,
    })
  }
}

export function formatToml(table: TomlTable): string {
  return stringify(table as Record<string, unknown>)
}

/**
 * Sets one top-level key of a TOML text and leaves every other character, comments included, as it is.
 * The text must be valid TOML.
 */
export function setTopLevelKey(text: string, key: string, value: string): string {
  const line = formatToml({ [key]: value }).trimEnd()
  const firstTable = /^[ \t]*\[/m.exec(text)?.index ?? text.length
  const [head, tail] = [text.slice(0, firstTable), text.slice(firstTable)]
  const pattern = new RegExp(`^[ \\t]*(?:${key}|"${key}"|'${key}')[ \\t]*=.*$`, 'm')
  if (pattern.test(head)) return head.replace(pattern, () => line) + tail
  return `${line}\n${text}`
}

/** @throws {ConfigError} naming file, key and what is allowed */
export function requireTomlText(file: string, table: TomlTable, key: string): string | undefined {
  const value = table[key]
  if (value === undefined || typeof value === 'string') return value
  throw new ConfigError(`${file}: ${key} must be text, got ${JSON.stringify(value)}`, { details: { file, field: key } })
}
