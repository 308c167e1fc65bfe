/** Features of the installed git. grite supports git 2.30 and newer. */
import { spawnSync } from 'node:child_process'

/** Features that a supported git may lack, with the version that introduced them. */
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

/** Returns the reason to skip a test of a feature; false when this git has it. */
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
 * Whether git refuses a repository of another user. Runs git to find out: 2.35.2 introduced the check, and security
 * releases of older versions have it too.
 *
 * @param cwd - a repository that this user owns
 */
export function checksOwners(cwd: string, environment: Readonly<Record<string, string>>): boolean {
  const env = { ...environment, GIT_TEST_ASSUME_DIFFERENT_OWNER: '1' }
  return spawnSync('git', ['rev-parse', '--git-dir'], { cwd, env }).status !== 0
}

/** Whether git fails at a ref to a missing object, and so in every fetch. git 2.30 skips such refs. */
export function stopsAtBrokenRefs(cwd: string, env: Readonly<Record<string, string>>): boolean {
  return spawnSync('git', ['rev-list', '--all'], { cwd, env }).status !== 0
}

export const ownersAreNotChecked = 'this git does not check who owns a repository'
