/** Bytes of a record stream that do not have the form in docs/format.md#record-streams. */
export class StreamFormatError extends Error {
  override readonly name = 'StreamFormatError'
}
