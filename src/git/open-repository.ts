import { createCombinedPort } from './combined-port.ts'
import { createIsomorphicPort } from './in-process/isomorphic-port.ts'
import { createNativePort } from './native/native-port.ts'
import type { GitPort, RepositoryLayout } from './port.ts'
import { createPortContext, type PortOptions } from './port-context.ts'

/**
 * Opens a repository: each operation uses the fastest implementation, and without a git program all run in process.
 * Starts nothing yet.
 */
export function openRepository(layout: RepositoryLayout, options: PortOptions): GitPort {
  return createCombinedPort(createPortContext(layout, options))
}

/** Opens a repository with the git program alone. */
export function openNative(layout: RepositoryLayout, options: PortOptions): GitPort {
  return createNativePort(createPortContext(layout, options))
}

/** Opens an ordinary repository without the git program. @throws {GitError} when it is not ordinary */
export function openIsomorphic(layout: RepositoryLayout, options: PortOptions): GitPort {
  return createIsomorphicPort(createPortContext(layout, options))
}
