import { errnoOf } from './storage-failure.ts'

/** A file that stays where it is of no use, and why. */
export interface FileWarning {
  readonly path: string
  readonly message: string
}

export type WarnOfFile = (warning: FileWarning) => void

/** Removes what is of no use any more. A file that cannot be removed is a warning: the work it was for is decided. */
export function removeOrWarn(remove: (path: string) => void, path: string, warn: WarnOfFile): void {
  try {
    remove(path)
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    warn({ path, message: `could not remove ${path}: ${(error as Error).message}` })
  }
}
