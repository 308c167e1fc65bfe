/**
 * JSON that the view itself wrote into its store. It is not checked member by member: a view is deletable, its store
 * has checksums, and rows are read by the thousand. Text that is not JSON counts as a damaged store.
 */

/**
 * A value in the store differs from what the view wrote. Has a code like the store's own failures, and is handled the
 * same way.
 */
class UnreadableValueError extends Error {
  override readonly name = 'UnreadableValueError'
  readonly code = 'LEVEL_UNREADABLE_VALUE'
}

/** @throws {UnreadableValueError} when the text is not JSON */
export function parseOwnJson<Value>(json: string | Buffer): Value {
  try {
    return JSON.parse(typeof json === 'string' ? json : json.toString('utf8')) as Value
  } catch (error) {
    throw new UnreadableValueError('a value in the view is damaged', { cause: error })
  }
}
