import { statSync } from 'node:fs'

/** User id of this process; undefined where the system has none. */
export function currentUser(): number | undefined {
  return process.geteuid?.()
}

/** Whether a file or folder belongs to the user of this process. False for a missing path. */
export function isOwnPath(path: string): boolean {
  const user = currentUser()
  if (user === undefined) return true
  try {
    return statSync(path).uid === user
  } catch {
    return false
  }
}
