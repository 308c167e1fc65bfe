/** Standard input as text. Invalid UTF-8 is refused instead of replaced, since the stored text would differ from the input. */
import { InvalidArgsError, limits } from '../model/index.ts'

/** @throws {InvalidArgsError} when the input exceeds `bytesMax`, or is not UTF-8 */
export async function readAllText(chunks: AsyncIterable<Uint8Array>, bytesMax: number): Promise<string> {
  return decode(await readAllBytes(chunks, bytesMax), 'standard input')
}

/** @throws {InvalidArgsError} when the input exceeds `bytesMax` */
async function readAllBytes(chunks: AsyncIterable<Uint8Array>, bytesMax: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let byteCount = 0
  for await (const chunk of chunks) {
    byteCount += chunk.length
    if (byteCount > bytesMax) throw tooLong('standard input', bytesMax)
    parts.push(chunk)
  }
  return Buffer.concat(parts)
}

/** Lines without their terminators (`\n` or `\r\n`); the last line may lack one. */
export async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let parts: Uint8Array[] = []
  let byteCount = 0
  let lineNumber = 1
  const take = (): string => {
    const line = decode(Buffer.concat(parts), `line ${lineNumber} of standard input`)
    parts = []
    byteCount = 0
    lineNumber++
    return line.endsWith('\r') ? line.slice(0, -1) : line
  }
  for await (const chunk of chunks) {
    let start = 0
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
      parts.push(chunk.subarray(start, end))
      start = end + 1
      yield take()
    }
    byteCount += chunk.length - start
    if (byteCount > limits.lineBytesMax) throw tooLong(`line ${lineNumber} of standard input`, limits.lineBytesMax)
    if (start < chunk.length) parts.push(chunk.subarray(start))
  }
  if (parts.length > 0) yield take()
}

function decode(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new InvalidArgsError(`${what} is not valid UTF-8`, { cause, details: { field: 'stdin' } })
  }
}

function tooLong(what: string, bytesMax: number): InvalidArgsError {
  return new InvalidArgsError(`${what} is longer than ${bytesMax} bytes`, {
    details: { field: 'stdin', bytes_max: bytesMax },
  })
}
