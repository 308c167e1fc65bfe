/** What the git that runs the tests knows. The oldest that grite works with is 2.30. */
import { spawnSync } from 'node:child_process'

/** Features that a supported git may lack, and the version that brought each. */
const since = {
  'rev-list --disk-usage': '2.31',
  GIT_CONFIG_COUNT: '2.31',
  'a key apart from its value in GIT_CONFIG_PARAMETERS': '2.31',
  GIT_CONFIG_GLOBAL: '2.32',
  'GIT_REF_PARANOIA by default': '2.34',
  'fetch --refetch': '2.36',
  'the reftable format': '2.45',
} as const

let version: string | undefined

/** Why a test of a feature is skipped; false when this git has it. */
export function whyGitLacks(feature: keyof typeof since): string | false {
  version ??= spawnSync('git', ['version'], { encoding: 'utf8' }).stdout.trim()
  const [major = 0, minor = 0] = numbersOf(version)
  const [majorMin = 0, minorMin = 0] = numbersOf(since[feature])
  const isOlder = major < majorMin || (major === majorMin && minor < minorMin)
  return isOlder && `${feature} came with git ${since[feature]}, this is ${version}`
}

function numbersOf(text: string): number[] {
  return (/(\d+)\.(\d+)/.exec(text)?.slice(1) ?? []).map(Number)
}

/**
 * Whether git refuses a repository of another user. git is asked, because 2.35.2 brought the check and so did security
 * fixes of older versions.
 *
 * @param cwd - a repository that this user owns
 */
export function checksOwners(cwd: string, environment: Readonly<Record<string, string>>): boolean {
  const env = { ...environment, GIT_TEST_ASSUME_DIFFERENT_OWNER: '1' }
  return spawnSync('git', ['rev-parse', '--git-dir'], { cwd, env }).status !== 0
}

/** Whether git stops at a ref that names no object, as it then does in every fetch. git 2.30 skips such refs. */
export function stopsAtBrokenRefs(cwd: string, env: Readonly<Record<string, string>>): boolean {
  return spawnSync('git', ['rev-list', '--all'], { cwd, env }).status !== 0
}

export const ownersAreNotChecked = 'this git does not check who owns a repository'
