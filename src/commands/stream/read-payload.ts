import { InvalidArgsError } from '../../model/index.ts'
import type { CommandContext } from '../../tracker/effects.ts'

/** The payload of one record, as bytes. @throws {InvalidArgsError} when it is no base64, or longer than any record */
export async function readPayload(
  { text }: Pick<CommandContext, 'text'>,
  { payload, base64 }: { readonly payload: string | undefined; readonly base64: boolean },
  bytesMax: number,
): Promise<Uint8Array> {
  const given =
    payload === undefined || payload === '-' ? await readAll(text.stdinChunks(), bytesMax) : Buffer.from(payload)
  if (!base64) return given
  const encoded = given.toString('latin1').replaceAll(/\s/g, '')
  if (encoded.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(encoded)) return Buffer.from(encoded, 'base64')
  throw new InvalidArgsError('the payload is not base64', { details: { field: 'payload' } })
}

async function readAll(chunks: AsyncIterable<Uint8Array>, bytesMax: number): Promise<Buffer> {
  const parts: Uint8Array[] = []
  let byteCount = 0
  for await (const chunk of chunks) {
    byteCount += chunk.length
    // In base64 it takes a third more.
    if (byteCount > 2 * bytesMax) {
      throw new InvalidArgsError(`a record can have at most ${bytesMax} bytes`, {
        details: { field: 'payload', bytes_max: bytesMax },
      })
    }
    parts.push(chunk)
  }
  return Buffer.concat(parts)
}
