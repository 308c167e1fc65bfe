/** Names in `grite/tmp/`. Each states its owner and is used once. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { formatOwner, type Owner } from './owner.ts'

export function temporaryName(folder: string, owner: Owner): string {
  return join(folder, `${formatOwner(owner)}-${randomBytes(6).toString('hex')}`)
}

/** End of the name of a note about locks that a git child may hold. */
export const lockNoteSuffix = '.locks'

export function isLockNote(name: string): boolean {
  return name.endsWith(lockNoteSuffix)
}
