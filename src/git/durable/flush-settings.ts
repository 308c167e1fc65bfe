import { GitNotFoundError } from '../../model/errors/index.ts'
import { isMentionedInConfig, readConfigFiles } from '../config-files.ts'
import { lastValue } from '../file-config.ts'
import type { Environment } from '../locate-git.ts'
import type { RepositoryLayout } from '../port.ts'
import type { GitRunner } from '../run-git.ts'

/** What a publish flushes: everything, unless the user's `core.fsync` or `core.fsyncMethod` says otherwise. */
export interface FlushSettings {
  readonly objects: boolean
  readonly references: boolean
  /** The user set core.fsync, so git decides what it flushes. */
  readonly chosenByUser: boolean
  readonly methodChosenByUser: boolean
}

const flushEverything: FlushSettings = {
  objects: true,
  references: true,
  chosenByUser: false,
  methodChosenByUser: false,
}

/**
 * Reads core.fsync and core.fsyncMethod. Starting git costs 2.6 ms and almost nobody sets them, so git is asked only
 * when a config file mentions the word or includes another file.
 */
export async function readFlushSettings(
  layout: RepositoryLayout,
  environment: Environment,
  git: GitRunner,
): Promise<FlushSettings> {
  if (!isMentionedInConfig(layout, environment, /fsync|include/i)) return flushEverything
  try {
    const { stdout } = await git.run(['config', '--get-regexp', '^core\\.fsync(method)?$'], { okStatuses: [0, 1] })
    let fsync: string | undefined
    let method: string | undefined
    for (const line of stdout.toString('utf8').split('\n')) {
      const [key, ...value] = line.split(' ')
      if (key === 'core.fsync') fsync = value.join(' ')
      if (key === 'core.fsyncmethod') method = value.join(' ')
    }
    return chooseFlushes(fsync, method)
  } catch (error) {
    if (!(error instanceof GitNotFoundError)) throw error
    const config = readConfigFiles(layout, environment, error)
    return chooseFlushes(lastValue(config, 'core.fsync'), lastValue(config, 'core.fsyncmethod'))
  }
}

const components = {
  'loose-object': ['object'],
  reference: ['reference'],
  objects: ['object'],
  committed: ['object', 'reference'],
  added: ['object', 'reference'],
  all: ['object', 'reference'],
} as const satisfies Record<string, readonly string[]>

/**
 * write-or-die.c and config.c, parse_fsync_components(): git's default includes neither loose objects nor references.
 */
export function chooseFlushes(fsync: string | undefined, method: string | undefined): FlushSettings {
  const methodChosenByUser = method !== undefined
  const flushesNothing = method === 'writeout-only'
  if (fsync === undefined) {
    return { ...flushEverything, objects: !flushesNothing, references: !flushesNothing, methodChosenByUser }
  }
  const wanted = new Set<string>()
  const refused = new Set<string>()
  for (const word of fsync.split(',').map((text) => text.trim())) {
    const name = word.replace(/^-/, '')
    const parts: readonly string[] = Object.hasOwn(components, name) ? components[name as keyof typeof components] : []
    for (const part of parts) (word.startsWith('-') ? refused : wanted).add(part)
  }
  const flushes = (part: string) => !flushesNothing && wanted.has(part) && !refused.has(part)
  return { objects: flushes('object'), references: flushes('reference'), chosenByUser: true, methodChosenByUser }
}
