import { errnoOf } from './storage-failure.ts'

/** A useless file that could not be removed, and why. */
export interface FileWarning {
  readonly path: string
  readonly message: string
}

export type WarnOfFile = (warning: FileWarning) => void

/** Removes a file that is no longer needed. Failing to remove it is only a warning: the work it served is done. */
export function removeOrWarn(remove: (path: string) => void, path: string, warn: WarnOfFile): void {
  try {
    remove(path)
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    warn({ path, message: `could not remove ${path}: ${(error as Error).message}` })
  }
}
