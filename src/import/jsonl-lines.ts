import { limits } from '../model/index.ts'

/** One line of a JSONL file, or why it is unreadable. Line numbers start at 1 and include blank lines. */
export type JsonlLine =
  | { readonly lineNumber: number; readonly text: string }
  | { readonly lineNumber: number; readonly problem: string }

const lineFeed = 0x0a

/**
 * Splits bytes into lines at LF only, because U+2028, where other splitters break, may be inside a JSON string. Drops a
 * CR before the LF, a byte order mark, and blank lines.
 */
export async function* splitJsonlLines(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<JsonlLine> {
  let lineNumber = 0
  let parts: Uint8Array[] = []
  let length = 0
  const finish = (): JsonlLine | undefined => {
    const line = readLine(++lineNumber, parts, length)
    parts = []
    length = 0
    return line
  }
  for await (const chunk of chunks) {
    let start = 0
    for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, start)) {
      length += end - start
      if (length <= limits.lineBytesMax) parts.push(chunk.subarray(start, end))
      start = end + 1
      const line = finish()
      if (line !== undefined) yield line
    }
    length += chunk.length - start
    // The rest is copied: a reader may reuse its buffer for the next chunk. `slice` of a Buffer does not copy.
    if (length <= limits.lineBytesMax && start < chunk.length) parts.push(new Uint8Array(chunk.subarray(start)))
  }
  if (length === 0) return
  const line = finish()
  if (line !== undefined) yield line
}

function readLine(lineNumber: number, parts: readonly Uint8Array[], length: number): JsonlLine | undefined {
  if (length > limits.lineBytesMax) return { lineNumber, problem: `line has more than ${limits.lineBytesMax} bytes` }
  const text = decodeUtf8(joinBytes(parts, length))
  if (text === undefined) return { lineNumber, problem: 'line is not valid UTF-8' }
  return text.trim() === '' ? undefined : { lineNumber, text: text.endsWith('\r') ? text.slice(0, -1) : text }
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true })

/** The text without a byte order mark; undefined when the bytes are not UTF-8. */
function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return strictUtf8.decode(bytes)
  } catch {
    return undefined
  }
}

function joinBytes(parts: readonly Uint8Array[], length: number): Uint8Array {
  const [first] = parts
  if (first !== undefined && parts.length === 1) return first
  const bytes = new Uint8Array(length)
  let position = 0
  for (const part of parts) {
    bytes.set(part, position)
    position += part.length
  }
  return bytes
}
