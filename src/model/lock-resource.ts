/**
 * What a lock is about: a text whose part before the first colon is its namespace (docs/format.md#locks). Two locks of
 * different holders exclude each other where their resources overlap:
 *
 *     repo:…       everything
 *     path:<path>  the same path, and what lies below it
 *     issue:<id>   the same issue; an id that begins another covers it, since the Rust tool takes ids as they were typed
 *     others       the same text only
 */
import { InvalidArgsError } from './errors/index.ts'
import type { IssueId } from './ids.ts'
import { limits } from './limits.ts'

/** The resource by which an issue is locked. */
export function issueResource(issueId: IssueId): string {
  return `issue:${issueId}`
}

/** The issue that a resource names by its full id; null for every other text. */
export function issueOfResource(resource: string): IssueId | null {
  return (/^issue:([0-9a-f]{32})$/.exec(resource)?.[1] as IssueId | undefined) ?? null
}

/** True for locks on everything: `repo:…`. */
export function isRepositoryResource(resource: string): boolean {
  return namespaceOf(resource) === 'repo'
}

/** Whether two holders may not have these at the same time. Symmetric. */
export function resourcesOverlap(left: string, right: string): boolean {
  if (left === right || isRepositoryResource(left) || isRepositoryResource(right)) return true
  const namespace = namespaceOf(left)
  if (namespace !== namespaceOf(right)) return false
  const [one, other] = [left.slice(namespace.length + 1), right.slice(namespace.length + 1)]
  if (namespace === 'path') return pathsOverlap(one, other)
  return namespace === 'issue' && idsOverlap(one.toLowerCase(), other.toLowerCase())
}

function namespaceOf(resource: string): string {
  const colon = resource.indexOf(':')
  return colon < 0 ? resource : resource.slice(0, colon)
}

/** As the Rust tool compares: no `.`, `..` or letter case is evened out. */
function pathsOverlap(left: string, right: string): boolean {
  const [one, other] = [left.replace(/\/+$/, ''), right.replace(/\/+$/, '')]
  return one === other || one.startsWith(`${other}/`) || other.startsWith(`${one}/`)
}

function idsOverlap(left: string, right: string): boolean {
  const areIds = /^[0-9a-f]+$/.test(left) && /^[0-9a-f]+$/.test(right)
  return areIds && (left.startsWith(right) || right.startsWith(left))
}

/**
 * A resource as somebody may lock it.
 * @throws {InvalidArgsError} on text that is empty, too long, not printable, or would not exclude what it seems to
 */
export function requireResource(resource: string): void {
  const namespace = namespaceOf(resource)
  const rest = resource.slice(namespace.length + 1)
  const bytes = new TextEncoder().encode(resource).length
  const problem =
    resource.trim() === ''
      ? 'must not be empty'
      : !resource.isWellFormed() || /\p{Cc}/u.test(resource)
        ? 'must be one line of printable text'
        : bytes > limits.lockResourceBytesMax
          ? `has ${bytes} bytes; at most ${limits.lockResourceBytesMax} are allowed`
          : (namespace === 'path' || namespace === 'issue') && rest === ''
            ? `names no ${namespace}`
            : namespace === 'path' && /(^|\/)\.{1,2}(\/|$)/.test(rest)
              ? 'must name its path without . and .., from the top of the repository'
              : null
  if (problem === null) return
  throw new InvalidArgsError(`resource '${resource}' ${problem}`, {
    details: { field: 'resource', value: resource, allowed: ['issue:<id>', 'path:<path>', 'repo:<name>', '<name>'] },
  })
}
