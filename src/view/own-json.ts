/**
 * JSON that the view itself has written into its store. It is not checked member by member: a view is deletable, it
 * lies in a store with checksums, and rows are read by the thousand. Text that is no JSON counts as a damaged store.
 */

/** A value in the store is not what the view wrote. Has a code like the failures of the store, and is treated as one. */
class UnreadableValueError extends Error {
  override readonly name = 'UnreadableValueError'
  readonly code = 'LEVEL_UNREADABLE_VALUE'
}

/** @throws {UnreadableValueError} when the text is no JSON */
export function parseOwnJson<Value>(json: string | Buffer): Value {
  try {
    return JSON.parse(typeof json === 'string' ? json : json.toString('utf8')) as Value
  } catch (error) {
    throw new UnreadableValueError('a value in the view is not what was written', { cause: error })
  }
}
