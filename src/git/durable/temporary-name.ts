/** Names in `grite/tmp/`. Each states its owner and is used once. */
import { join } from 'node:path'
import type { RepositoryLayout } from '../port.ts'
import { randomBytes } from '../random-bytes.ts'
import { refTemporaryDir } from '../ref-paths.ts'
import { currentOwner, formatOwner, type Owner } from './owner.ts'

export function temporaryName(folder: string, owner: Owner): string {
  return join(folder, `${formatOwner(owner)}-${randomBytes(6).toString('hex')}`)
}

/** A new path in `grite/tmp/`: after this process dies, others remove the file. The folder may be missing. */
export function newTemporaryPath(layout: RepositoryLayout): string {
  return temporaryName(refTemporaryDir(layout), currentOwner())
}

/** Suffix of a note about locks that a git child may hold. */
export const lockNoteSuffix = '.locks'

export function isLockNote(name: string): boolean {
  return name.endsWith(lockNoteSuffix)
}
