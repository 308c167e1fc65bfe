/** Escapes in options: `\n`, `\t`, `\r`, `\0`, `\\` and `\xNN` for any byte. */
import { InvalidArgsError } from '../../model/index.ts'

const named: Readonly<Record<string, number>> = { n: 0x0a, t: 0x09, r: 0x0d, '0': 0x00, '\\': 0x5c }

/** @throws {InvalidArgsError} naming the option and the escape */
export function parseEscapes(option: string, text: string): Uint8Array {
  const parts: Uint8Array[] = []
  const pattern = /\\(x[0-9a-fA-F]{2}|[\s\S]?)|[^\\]+/g
  for (const [whole, code] of text.matchAll(pattern)) {
    if (code === undefined) {
      parts.push(Buffer.from(whole))
      continue
    }
    const byte = code.length === 3 ? Number.parseInt(code.slice(1), 16) : named[code]
    if (byte === undefined) {
      throw new InvalidArgsError(`--${option} has the unknown escape '${whole}'; allowed: ${escapes.join(' ')}`, {
        details: { field: option, value: text, allowed: escapes },
      })
    }
    parts.push(Uint8Array.of(byte))
  }
  return Buffer.concat(parts)
}

const escapes = ['\\n', '\\t', '\\r', '\\0', '\\\\', '\\xNN'] as const

/** The bytes between records: --delimiter, --null, or a line end. */
export function parseDelimiter(input: { readonly delimiter: string | undefined; readonly null: boolean }): Uint8Array {
  const { delimiter } = input
  if (input.null && delimiter !== undefined) {
    throw new InvalidArgsError('--delimiter and --null exclude each other', {
      details: { field: 'delimiter', value: delimiter },
    })
  }
  if (input.null) return Uint8Array.of(0)
  return delimiter === undefined ? Uint8Array.of(0x0a) : parseEscapes('delimiter', delimiter)
}
