/**
 * Lock resources: text whose part before the first colon is its namespace (docs/format.md#locks). Locks of different
 * holders exclude each other when their resources overlap:
 *
 *     repo:…       everything
 *     path:<path>  the same path, and everything below it
 *     issue:<id>   the same issue; a prefix of an id covers it, because the Rust tool stores ids as typed
 *     others       the same text only
 */
import { InvalidArgsError } from './errors/index.ts'
import type { IssueId } from './ids.ts'
import { limits } from './limits.ts'

/** The lock resource of an issue. */
export function issueResource(issueId: IssueId): string {
  return `issue:${issueId}`
}

/** The issue that a resource names by its full id; null for any other text. */
export function issueOfResource(resource: string): IssueId | null {
  return (/^issue:([0-9a-f]{32})$/.exec(resource)?.[1] as IssueId | undefined) ?? null
}

/** True for locks on the whole repository: `repo:…`. */
export function isRepositoryResource(resource: string): boolean {
  return namespaceOf(resource) === 'repo'
}

/** Whether two holders exclude each other on these resources. Symmetric. */
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

/** Compares like the Rust tool: `.`, `..` and letter case are not normalized. */
function pathsOverlap(left: string, right: string): boolean {
  const [one, other] = [left.replace(/\/+$/, ''), right.replace(/\/+$/, '')]
  return one === other || one.startsWith(`${other}/`) || other.startsWith(`${one}/`)
}

function idsOverlap(left: string, right: string): boolean {
  const areIds = /^[0-9a-f]+$/.test(left) && /^[0-9a-f]+$/.test(right)
  return areIds && (left.startsWith(right) || right.startsWith(left))
}

/**
 * Requires a resource that a user may lock.
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
              ? 'must be a path from the top of the repository, without . and ..'
              : null
  if (problem === null) return
  throw new InvalidArgsError(`resource '${resource}' ${problem}`, {
    details: { field: 'resource', value: resource, allowed: ['issue:<id>', 'path:<path>', 'repo:<name>', '<name>'] },
  })
}
