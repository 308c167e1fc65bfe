import { existsSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'
import { listOwnRemotes, showRemote } from '../../git/index.ts'
import { InvalidArgsError, NotFoundError } from '../../model/index.ts'
import type { Workspace } from '../workspace.ts'

export interface ChosenRemote {
  /** Name of a configured remote, or a URL. */
  readonly name: string
  /** Whether this is the home remote. */
  readonly isHome: boolean
}

/**
 * Chooses the remote of a command: the given one, else the configured home remote, else the only one.
 *
 * @param typed - a name, a URL, or a path relative to `cwd`
 * @throws {NotFoundError} when none is given and there is no remote, or more than one
 */
export async function chooseRemote(repository: Workspace, cwd: string, typed?: string): Promise<ChosenRemote> {
  const { home, found } = await findHome(repository)
  if (typed !== undefined) return { name: addressOf(cwd, typed), isHome: typed === found }
  if (found !== undefined) return { name: found, isHome: true }
  const names = await repository.remotes.listRemotes()
  const [only] = names
  throw new NotFoundError(
    only === undefined
      ? 'this repository has no remote'
      : `there is no remote '${showRemote(home)}'; known remotes: ${names.join(', ')}`,
    {
      details: { field: 'remote', value: showRemote(home), allowed: names },
      hints:
        only === undefined
          ? ['Add one with `git remote add origin <url>`']
          : ['Choose one with --remote, or run `grite config set sync.remote <name>`'],
    },
  )
}

/** The home remote; undefined when there is no remote, or several and none is configured as home. */
export async function chooseHomeRemote(repository: Workspace): Promise<ChosenRemote | undefined> {
  const { found } = await findHome(repository)
  return found === undefined ? undefined : { name: found, isHome: true }
}

/**
 * Guesses the remote with which this clone is shared, for a hint: the home remote, else the first one. Undefined when the
 * repository has none configured. Does not run git.
 */
export async function findLikelyRemote(repository: Workspace): Promise<string | undefined> {
  const names = listOwnRemotes(repository.layout)
  if (names.length === 0) return undefined
  const home = (await repository.config()).sync.remote
  return names.includes(home) ? home : names[0]
}

async function findHome(repository: Workspace) {
  const { remotes } = repository
  const home = (await repository.config()).sync.remote
  if (await remotes.hasRemote(home)) return { home, found: home }
  const [only, ...others] = await remotes.listRemotes()
  return { home, found: others.length === 0 ? only : undefined }
}

/** Resolves a path against the current directory; git would resolve it against the top of the work tree. */
function addressOf(cwd: string, typed: string): string {
  if (typed.trim() === '') throw new InvalidArgsError('--remote must not be empty', { details: { field: 'remote' } })
  const isPath = /^\.{0,2}\//.test(typed) && !isAbsolute(typed)
  return isPath && existsSync(resolve(cwd, typed)) ? resolve(cwd, typed) : typed
}

/** @throws {NotFoundError} listing the remotes of the repository */
export async function requireRemote(
  { remotes }: Pick<Workspace, 'remotes'>,
  field: string,
  name: string,
): Promise<void> {
  if (await remotes.hasRemote(name)) return
  const names = await remotes.listRemotes()
  const others = names.length === 0 ? 'this repository has no remotes' : `known remotes: ${names.join(', ')}`
  throw new NotFoundError(`there is no remote '${showRemote(name)}'; ${others}`, {
    details: { field, value: showRemote(name), allowed: names },
    hints: names.length === 0 ? ['Add one with `git remote add origin <url>`'] : [],
  })
}
