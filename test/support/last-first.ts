import type { CleanUp } from '../git/temp-repository.ts'

/** Cleans up in reverse order: a daemon stops before its repository is removed. */
export function lastFirst(t: CleanUp): CleanUp {
  const cleanups: (() => unknown)[] = []
  t.after(async () => {
    for (const cleanup of cleanups.reverse()) await cleanup()
  })
  return { after: (cleanup) => void cleanups.push(cleanup) }
}
