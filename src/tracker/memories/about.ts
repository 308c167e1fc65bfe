/** What a memory is about: a path of the work tree, or an issue. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { GriteError, InvalidArgsError, limits } from '../../model/index.ts'
import type { View } from '../../view/index.ts'
import { resolveIssue } from '../issues/resolve-issue.ts'
import { pathFromTop } from '../path-from-top.ts'
import type { Workspace } from '../workspace.ts'

/** True for the stored form of an issue. */
export function isIssueAbout(about: string): boolean {
  return /^[0-9a-f]{32}$/.test(about)
}

/**
 * Resolves the value of --about to its stored form: the path of an existing file or folder, else an issue, else the path
 * of a file that does not exist yet, which must have a slash or a dot.
 * @throws {InvalidArgsError} on a path outside the work tree, or a word that is neither
 */
export async function resolveAbout(repository: Workspace, view: View, typed: string): Promise<string> {
  const text = typed.trim()
  const path = await pathFromTop(repository, text)
  if (path !== null && existsSync(resolve(repository.layout.workTree ?? '', path))) return path
  const isLikelyPath = /[/.]/.test(text)
  try {
    return await resolveIssue(view, text)
  } catch (error) {
    const isAmbiguous = error instanceof GriteError && error.details.candidates !== undefined
    if (isAmbiguous || !(error instanceof GriteError)) throw error
  }
  const allowed = 'a path in the repository or an issue'
  const details = { field: 'about', value: typed, allowed }
  if (isLikelyPath && path !== null && Buffer.byteLength(path) <= limits.memoryAboutBytesMax) return path
  throw new InvalidArgsError(`--about must be ${allowed}, got '${typed}'`, { details })
}
