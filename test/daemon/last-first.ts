import type { CleanUp } from '../git/temp-repository.ts'

/** Clean-ups that run in the opposite order: a daemon stops before its repository is removed. */
export function lastFirst(t: CleanUp): CleanUp {
  const callbacks: (() => void | Promise<void>)[] = []
  t.after(async () => {
    for (const callback of callbacks.reverse()) await callback()
  })
  return { after: (callback) => void callbacks.push(callback) }
}
