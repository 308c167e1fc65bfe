import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { currentUser, isOwnPath } from '../../git/index.ts'
import { type ActorId, ConfigError, describeForeign, shortenText } from '../../model/index.ts'
import type { GritePaths } from './paths.ts'
import { readToml, readTomlText, setTableKey, setTopLevelKey, type TomlTable } from './toml-file.ts'
import { makeFolder, writeFileAtomically } from './write-file-atomically.ts'

const lockPolicies = ['off', 'warn', 'require'] as const
/** What a write does about somebody else's live lock on what it changes: nothing, warn, or refuse. */
export type LockPolicy = (typeof lockPolicies)[number]

const signaturePolicies = ['off', 'warn', 'reject'] as const
/** What is done about received events whose signature is wrong or missing: nothing, warn, or refuse to take them in. */
export type SignaturePolicy = (typeof signaturePolicies)[number]

/** `.git/grite/config.toml`: local trust and settings (docs/cli.md, "Configuration"). Unknown keys are left alone. */
export interface RepoConfig {
  /** Of the user who asks, where there is one, else of all. */
  readonly defaultActor: ActorId | undefined
  readonly lockPolicy: LockPolicy
  readonly verifySignatures: SignaturePolicy
  readonly snapshot: {
    /** Events after the newest snapshot that make another one due. */
    readonly maxEvents: number
    /** Age in days of the newest snapshot that makes another one due, when there is something new for it. */
    readonly maxAgeDays: number
    /** Whether `sync` makes a due snapshot by itself. */
    readonly auto: boolean
    /** Whether a snapshot that is signed by an actor of the log is used without a check against the log. */
    readonly trustSigned: boolean
  }
  readonly sync: {
    /** The home remote: the one whose log the local one follows. */
    readonly remote: string
    /** Whether the user's pre-push hook runs on pushes of grite's refs. */
    readonly runHooks: boolean
  }
  readonly remote: {
    /** Longest time without a sign of life from a remote. Seconds; 0 waits for ever. */
    readonly timeout: number
  }
  readonly lease: {
    /** Remote on which locks and claims are taken when no `--remote` is given; undefined for local ones. */
    readonly remote: string | undefined
  }
  readonly maintenance: {
    /** Whether `git maintenance run --auto` is started in the background after much was written. */
    readonly auto: boolean
  }
}

/** Enough for a busy host, and short for a job that nobody watches. Seconds. */
const remoteTimeoutDefault = 60
/** One day. Timers of Node hold at most 24. Seconds. */
export const remoteTimeoutMax = 86_400

/** @throws {ConfigError} on invalid TOML or a value that is not allowed; the file is never touched */
export async function readRepoConfig(path: string): Promise<RepoConfig> {
  const top = reader(path, (await readToml(path)) ?? {}, '')
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
    maintenance: { auto: top.table('maintenance').flag('auto') ?? true },
  }
}

/** Typed access to one table of a file. Every refusal names file, key, value and what is allowed. */
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
    flag: (key: string) => value(key, 'true or false', (found) => typeof found === 'boolean'),
    count: (key: string) => value(key, 'a whole number from 1', isCount),
    seconds: (key: string) => value(key, `a whole number of seconds up to ${remoteTimeoutMax}, 0 for none`, isTimeout),
    actor: (key: string) => value(key, '32 hexadecimal characters', isActorText)?.toLowerCase() as ActorId | undefined,
    /** Words are taken in any case, as the Rust tool does; `others` are further spellings. */
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

/** The value itself where it is a number or a short text, else a few words for it. */
function detailOf(value: unknown): string | number | boolean {
  if (typeof value === 'string') return shortenText(value, 200)
  return typeof value === 'number' || typeof value === 'boolean' ? value : describeForeign(value)
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 1
/** Whether a value is a valid `remote.timeout`. */
export const isTimeout = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= remoteTimeoutMax
const isActorText = (value: unknown): value is string => typeof value === 'string' && /^[0-9a-fA-F]{32}$/.test(value)
const isTable = (value: unknown): value is TomlTable =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const defaultKey = 'default_actor'

/** Where the default of all is the actor of another user of the system. */
function ownDefaultKey(): string {
  return `${defaultKey}_${currentUser()}`
}

/**
 * Sets the default actor and keeps everything else in the file, comments included. The default of another user stays:
 * then this one becomes the default of the user who asks.
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
 * Sets the remote on which locks and claims are taken, and keeps everything else in the file.
 * @throws {ConfigError} when the file writes its `lease` in a way that only a person can change
 */
export async function writeLeaseRemote({ config: path, permissions }: GritePaths, remote: string): Promise<void> {
  await readRepoConfig(path)
  await makeFolder(dirname(path), permissions)
  const text = readTomlText(path) ?? ''
  const changed = setTableKey(text, 'lease', 'remote', remote)
  if (changed === undefined) {
    throw new ConfigError(`${path}: lease.remote could not be set; write it below the header [lease] by hand`, {
      details: { file: path, field: 'lease.remote', value: remote },
    })
  }
  if (changed !== text) await writeFileAtomically(path, changed, { permissions })
}
