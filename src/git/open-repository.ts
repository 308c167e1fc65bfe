import { createCombinedPort } from './combined-port.ts'
import { createIsomorphicPort } from './in-process/isomorphic-port.ts'
import { createNativePort } from './native/native-port.ts'
import type { GitPort, RepositoryLayout } from './port.ts'
import { createPortContext, type PortOptions } from './port-context.ts'

/** Opens a repository for use: each operation by the implementation that is fastest at it. Starts nothing yet. */
export function openRepository(layout: RepositoryLayout, options: PortOptions): GitPort {
  return createCombinedPort(createPortContext(layout, options))
}

/** Opens a repository through the git program alone. */
export function openNative(layout: RepositoryLayout, options: PortOptions): GitPort {
  return createNativePort(createPortContext(layout, options))
}

/** Opens an ordinary repository without the git program. @throws {GitError} when it is not ordinary */
export function openIsomorphic(layout: RepositoryLayout, options: PortOptions): GitPort {
  return createIsomorphicPort(createPortContext(layout, options))
}
