import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { currentUser, isOwnPath } from '../../git/index.ts'
import { type ActorId, ConfigError, describeForeign, shortenText } from '../../model/index.ts'
import type { GritePaths } from './paths.ts'
import {
  readToml,
  readTomlText,
  setTableKey,
  setTopLevelKey,
  type TomlEntry,
  type TomlTable,
  unsetKey,
} from './toml-file.ts'
import { makeFolder, writeFileAtomically } from './write-file-atomically.ts'

const lockPolicies = ['off', 'warn', 'require'] as const
/** How a write treats a live lock of somebody else on its issues: ignore it, warn, or fail. */
export type LockPolicy = (typeof lockPolicies)[number]

const signaturePolicies = ['off', 'warn', 'reject'] as const
/** How to treat received events with an invalid or missing signature: accept, warn, or reject. */
export type SignaturePolicy = (typeof signaturePolicies)[number]

/** `.git/grite/config.toml`: local trust and settings (docs/cli.md, "Configuration"). Unknown keys are preserved. */
export interface RepoConfig {
  /** The default of the current user, else of all users. */
  readonly defaultActor: ActorId | undefined
  readonly lockPolicy: LockPolicy
  readonly verifySignatures: SignaturePolicy
  readonly snapshot: {
    /** Number of events after the newest snapshot that makes another one due. */
    readonly maxEvents: number
    /** Age of the newest snapshot in days that makes another one due, if there are new events. */
    readonly maxAgeDays: number
    /** Whether `sync` creates due snapshots automatically. */
    readonly auto: boolean
    /** Whether to use a snapshot signed by an actor of the log without checking it against the log. */
    readonly trustSigned: boolean
  }
  readonly sync: {
    /** The home remote, whose log the local one follows. */
    readonly remote: string
    /** Whether the user's pre-push hook runs on pushes of grite's refs. */
    readonly runHooks: boolean
  }
  readonly remote: {
    /** Timeout for a silent remote. Seconds; 0 disables it. */
    readonly timeout: number
  }
  readonly lease: {
    /** Remote for locks and claims without `--remote`; undefined for local ones. */
    readonly remote: string | undefined
  }
  readonly daemon: {
    /** Whether a command starts a daemon for the next one. */
    readonly autospawn: boolean
    /** How long a daemon without requests lives. Seconds; 0 for ever. */
    readonly idleTimeout: number
  }
  readonly streams: {
    /** Ids of the record streams that a fetch brings here; `*` stands for any characters. */
    readonly follow: readonly string[]
  }
  readonly maintenance: {
    /** Whether to run `git maintenance run --auto` in the background after many writes. */
    readonly auto: boolean
  }
}

/** Long enough for a busy host, and short enough for an unattended job. Seconds. */
const remoteTimeoutDefault = 60
/** One day; a Node timer can hold at most 24. Seconds. */
export const remoteTimeoutMax = 86_400

/** Seconds. */
const idleTimeoutDefault = 300

/** @throws {ConfigError} on invalid TOML or a value that is not allowed; the file is never changed */
export async function readRepoConfig(path: string): Promise<RepoConfig> {
  return parseRepoConfig(path, (await readToml(path)) ?? {})
}

/** @throws {ConfigError} on a value that is not allowed */
export function parseRepoConfig(path: string, table: TomlTable): RepoConfig {
  const top = reader(path, table, '')
  const snapshot = top.table('snapshot')
  const sync = top.table('sync')
  return {
    defaultActor: top.actor(ownDefaultKey()) ?? top.actor(defaultKey),
    lockPolicy: top.oneOf('lock_policy', lockPolicies) ?? 'warn',
    verifySignatures: top.oneOf('verify_signatures', signaturePolicies, { require: 'reject' }) ?? 'off',
    snapshot: {
      maxEvents: snapshot.count('max_events') ?? 10_000,
      maxAgeDays: snapshot.count('max_age_days') ?? 7,
      auto: snapshot.flag('auto') ?? true,
      trustSigned: snapshot.flag('trust_signed') ?? true,
    },
    sync: { remote: sync.text('remote') ?? 'origin', runHooks: sync.flag('run_hooks') ?? false },
    remote: { timeout: top.table('remote').seconds('timeout') ?? remoteTimeoutDefault },
    lease: { remote: top.table('lease').text('remote') },
    daemon: {
      autospawn: top.table('daemon').flag('autospawn') ?? true,
      idleTimeout: top.table('daemon').seconds('idle_timeout') ?? idleTimeoutDefault,
    },
    streams: { follow: top.table('streams').texts('follow') ?? [] },
    maintenance: { auto: top.table('maintenance').flag('auto') ?? true },
  }
}

/** Typed access to one table of a file. Every error names file, key, value and the allowed values. */
function reader(file: string, table: TomlTable, prefix: string) {
  const refuse = (key: string, value: unknown, allowed: string): ConfigError =>
    new ConfigError(`${file}: ${prefix}${key} must be ${allowed}, got ${describeForeign(value)}`, {
      details: { file, field: `${prefix}${key}`, value: detailOf(value), allowed },
    })
  function value<Value>(key: string, allowed: string, accepts: (value: unknown) => value is Value): Value | undefined {
    const found = table[key]
    if (found === undefined || accepts(found)) return found
    throw refuse(key, found, allowed)
  }
  return {
    text: (key: string) => value(key, 'text', (found) => typeof found === 'string'),
    texts: (key: string) => value(key, 'a list of texts', isTexts),
    flag: (key: string) => value(key, 'true or false', (found) => typeof found === 'boolean'),
    count: (key: string) => value(key, 'a whole number from 1', isCount),
    seconds: (key: string) => value(key, `a whole number of seconds up to ${remoteTimeoutMax}, 0 for none`, isTimeout),
    actor: (key: string) => value(key, '32 hexadecimal characters', isActorText)?.toLowerCase() as ActorId | undefined,
    /** Case-insensitive, like the Rust tool; `others` are alternative spellings. */
    oneOf<Word extends string>(key: string, words: readonly Word[], others: Readonly<Record<string, Word>> = {}) {
      const text = value(key, words.join(', '), (found) => typeof found === 'string')
      const folded = text?.toLowerCase()
      if (text === undefined || folded === undefined) return undefined
      const word = words.find((each) => each === folded) ?? (Object.hasOwn(others, folded) ? others[folded] : undefined)
      if (word === undefined) throw refuse(key, text, words.join(', '))
      return word
    },
    table: (key: string) => reader(file, value(key, 'a table', isTable) ?? {}, `${prefix}${key}.`),
  }
}

/** The value itself if it is a number or a short text, else a description. */
function detailOf(value: unknown): string | number | boolean {
  if (typeof value === 'string') return shortenText(value, 200)
  return typeof value === 'number' || typeof value === 'boolean' ? value : describeForeign(value)
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 1
/** Whether a value is a valid `remote.timeout`. */
export const isTimeout = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= remoteTimeoutMax
const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'string')
const isActorText = (value: unknown): value is string => typeof value === 'string' && /^[0-9a-fA-F]{32}$/.test(value)
const isTable = (value: unknown): value is TomlTable =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const defaultKey = 'default_actor'

/** Key of a per-user default, used when the general default is the actor of another user of the system. */
function ownDefaultKey(): string {
  return `${defaultKey}_${currentUser()}`
}

/**
 * Sets the default actor and preserves the rest of the file, including comments. If the present default belongs to another
 * user, sets a default for the current user instead.
 */
export async function writeDefaultActor(paths: GritePaths, actor: ActorId): Promise<void> {
  const { config, permissions } = paths
  await readRepoConfig(config)
  await makeFolder(dirname(config), permissions)
  const present = (await readToml(config)) ?? {}
  const ownKey = ownDefaultKey()
  const isTaken = present[ownKey] !== undefined || isOfAnotherUser(paths, present[defaultKey])
  const text = readTomlText(config) ?? ''
  const next = setTopLevelKey(text, isTaken ? ownKey : defaultKey, actor)
  await writeFileAtomically(config, next, { permissions })
}

function isOfAnotherUser(paths: GritePaths, actor: unknown): boolean {
  if (!isActorText(actor)) return false
  const folder = paths.actorDir(actor)
  return existsSync(folder) && !isOwnPath(folder)
}

/**
 * Sets a setting, or removes it with null, and preserves the rest of the file.
 *
 * @param key - as in `settings.ts`: `snapshot.max_events`
 * @throws {ConfigError} when the file has the key in a form that only a person can change
 */
export async function writeSetting(
  { config: path, permissions }: GritePaths,
  key: string,
  value: TomlEntry | null,
): Promise<void> {
  await readRepoConfig(path)
  await makeFolder(dirname(path), permissions)
  const text = readTomlText(path) ?? ''
  const changed = changeKey(text, key, value)
  if (changed === undefined) {
    throw new ConfigError(`${path}: ${key} is written in a form that only an editor can change`, {
      details: { file: path, field: key, value },
    })
  }
  if (changed !== text) await writeFileAtomically(path, changed, { permissions })
}

function changeKey(text: string, key: string, value: TomlEntry | null): string | undefined {
  const [name, table] = key.split('.').reverse() as [string, string?]
  if (value === null) return unsetKey(text, table ?? null, name)
  return table === undefined ? setTopLevelKey(text, name, value) : setTableKey(text, table, name, value)
}

/** The settings as if the file were empty, and the keys that it sets. */
export async function readSetKeys(
  path: string,
): Promise<{ readonly defaults: RepoConfig; readonly isSet: (key: string) => boolean }> {
  const table = (await readToml(path)) ?? {}
  const isSet = (key: string) => {
    const [name, inner] = key.split('.').reverse() as [string, string?]
    const holder = inner === undefined ? table : table[inner]
    return isTable(holder) && holder[name] !== undefined
  }
  return { defaults: parseRepoConfig(path, {}), isSet }
}
