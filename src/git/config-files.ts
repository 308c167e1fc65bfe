import { join } from 'node:path'
import { GitNotFoundError } from '../model/errors/index.ts'
import { type FileConfig, parseFileConfig } from './file-config.ts'
import type { Environment } from './locate-git.ts'
import type { RepositoryLayout } from './port.ts'
import { readSmallFile } from './read-small-file.ts'

/** Far above any config that people write. */
export const configBytesMax = 4 * 1024 * 1024

/**
 * Whether a config file that git reads mentions a word. If not, a rarely used setting is unset, and asking git (2.6 ms)
 * is unnecessary. The pattern should also match `include`.
 */
export function isMentionedInConfig(layout: RepositoryLayout, environment: Environment, pattern: RegExp): boolean {
  if (environment.GIT_CONFIG_COUNT || environment.GIT_CONFIG_PARAMETERS) return true
  return configFiles(layout, environment).some((path) => {
    if (path === '/dev/null') return false
    const bytes = readSmallFile(path, configBytesMax)
    // An unread file may contain anything.
    return bytes !== null && ('unread' in bytes || pattern.test(bytes.toString('latin1')))
  })
}

/**
 * All values of git's configuration, read without git.
 *
 * @param notFound - why git is unavailable; thrown when a file includes others, or uses syntax that only git understands
 */
export function readConfigFiles(
  layout: RepositoryLayout,
  environment: Environment,
  notFound: GitNotFoundError,
): FileConfig {
  if (environment.GIT_CONFIG_COUNT || environment.GIT_CONFIG_PARAMETERS) throw notFound
  const values = new Map<string, string[]>()
  for (const path of configFiles(layout, environment)) {
    const bytes = path === '/dev/null' ? null : readSmallFile(path, configBytesMax)
    if (bytes === null) continue
    const config = 'unread' in bytes ? null : parseFileConfig(bytes.toString('utf8'))
    if (config === null || [...config.keys()].some((key) => /^include(if)?\./.test(key))) {
      throw new GitNotFoundError(`cannot read ${path} without the git program, which was not found`, {
        details: { ...notFound.details, path },
        hints: notFound.hints,
      })
    }
    for (const [key, found] of config) values.set(key, [...(values.get(key) ?? []), ...found])
  }
  return values
}

/** Files that git reads its configuration from, if they exist; the last one wins. */
export function configFiles(layout: RepositoryLayout, environment: Environment): readonly string[] {
  const home = environment.HOME
  const xdg = environment.XDG_CONFIG_HOME || (home ? join(home, '.config') : undefined)
  // The path of the system file is fixed when git is built: distributions, /usr/local, Homebrew, Apple's tools.
  const system = environment.GIT_CONFIG_SYSTEM
    ? [environment.GIT_CONFIG_SYSTEM]
    : [
        '/etc/gitconfig',
        '/usr/local/etc/gitconfig',
        '/opt/homebrew/etc/gitconfig',
        '/Library/Developer/CommandLineTools/usr/share/git-core/gitconfig',
      ]
  const personal = environment.GIT_CONFIG_GLOBAL
    ? [environment.GIT_CONFIG_GLOBAL]
    : [...(xdg ? [join(xdg, 'git', 'config')] : []), ...(home ? [join(home, '.gitconfig')] : [])]
  return [
    ...(environment.GIT_CONFIG_NOSYSTEM ? [] : system),
    ...personal,
    join(layout.commonDir, 'config'),
    join(layout.gitDir, 'config.worktree'),
  ]
}
