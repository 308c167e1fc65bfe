import { readGitVersion } from '../../git/index.ts'
import { GitNotFoundError } from '../../model/index.ts'
import { readRepoConfig } from '../local/repo-config.ts'
import { type Check, ok } from './check.ts'

/** The oldest git that has all used features and passes the tests (design §3). */
const gitVersionMin = [2, 30] as const

export const gitRepo: Check = {
  id: 'git_repo',
  async look({ repository }) {
    const { layout } = repository
    return ok(layout.workTree ?? layout.commonDir)
  },
}

export const gitVersion: Check = {
  id: 'git_version',
  async look({ repository }) {
    const version = await readGitVersion(repository.layout, repository.git.environment).catch(nullWithoutGit)
    if (version === null) {
      return {
        status: 'warn',
        message: 'the git program was not found: everything works but what needs a remote',
        plan: ['install git, and make sure that PATH names its directory by an absolute path'],
      }
    }
    const [major = 0, minor = 0] = version.split('.').map(Number)
    const [majorMin, minorMin] = gitVersionMin
    if (major > majorMin || (major === majorMin && minor >= minorMin)) return ok(`git ${version}`)
    return {
      status: 'error',
      message: `git ${version} is too old: grite needs ${majorMin}.${minorMin} or newer`,
      plan: ['install a newer git and put its folder on PATH'],
      details: { version, version_min: gitVersionMin.join('.') },
    }
  },
}

function nullWithoutGit(error: unknown): null {
  if (error instanceof GitNotFoundError) return null
  throw error
}

export const configFile: Check = {
  id: 'config',
  async look({ repository }) {
    // An unreadable file throws an error with its own message, which the caller reports.
    await readRepoConfig(repository.paths.config)
    return ok('the settings are readable')
  },
}
