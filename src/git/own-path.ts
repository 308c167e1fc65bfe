import { statSync } from 'node:fs'

/** Number of the user this process acts as; undefined where the system has no such numbers. */
export function currentUser(): number | undefined {
  return process.geteuid?.()
}

/** Whether a file or folder belongs to the user this process acts as. What is not there belongs to nobody. */
export function isOwnPath(path: string): boolean {
  const user = currentUser()
  if (user === undefined) return true
  try {
    return statSync(path).uid === user
  } catch {
    return false
  }
}
