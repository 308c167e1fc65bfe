import { InvalidArgsError, limits, parseForeignJson, shape } from '../model/index.ts'

/** Reads the text of an indexed range again. @throws {InvalidArgsError} when the file has changed meanwhile */
export function readExportedText(bytes: Uint8Array): string {
  const { value } = parseForeignJson(bytes, shape.text(), { name: 'attachment', sizeMax: 2 * limits.chunkReadBytesMax })
  if (value === null) throw new InvalidArgsError('the export changed while it was read; run the import again')
  return value
}
