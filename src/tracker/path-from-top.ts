import { realpath } from 'node:fs/promises'
import { isAbsolute, relative, resolve, sep } from 'node:path'
import type { Workspace } from './workspace.ts'

/**
 * A typed path, relative to the top of the work tree and with slashes; `.` for the top itself, null for a path outside it. In a bare
 * repository, paths are from the top of a work tree.
 */
export async function pathFromTop(
  { layout, facts }: Pick<Workspace, 'layout' | 'facts'>,
  text: string,
): Promise<string | null> {
  if (text === '') return null
  const top = layout.workTree ?? '/'
  const from = layout.workTree === null ? '/' : await realpath(facts.cwd).catch(() => facts.cwd)
  const way = relative(top, resolve(from, text))
  if (isAbsolute(way) || way.split(sep)[0] === '..') return null
  return way === '' ? '.' : way.split(sep).join('/')
}
