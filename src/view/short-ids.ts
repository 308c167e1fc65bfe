import type { IssueId } from '../model/index.ts'

/** Length of the shortest id shown to people. */
export const shortIdLength = 7

/**
 * The shortest prefix of an id that none of these others begins with, of at least `lengthMin` characters.
 *
 * @param others - the ids beside it in ascending order
 */
export function shorten(id: IssueId, others: readonly (IssueId | undefined)[], lengthMin: number): string {
  const start = id.slice(0, lengthMin)
  // Nearly always: no neighbour begins like it.
  if (!others.some((other) => other?.startsWith(start))) return start
  const shared = others.map((other) => (other === undefined || other === id ? 0 : sharedLength(id, other)))
  return id.slice(0, Math.max(lengthMin, 1 + Math.max(0, ...shared)))
}

function sharedLength(left: string, right: string): number {
  let length = 0
  while (length < left.length && left[length] === right[length]) length++
  return length
}
