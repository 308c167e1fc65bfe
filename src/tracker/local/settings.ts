/** The settings of a clone as people name them: `snapshot.max_events`. One table for reading, writing and docs. */
import { type RepoConfig, remoteTimeoutMax } from './repo-config.ts'
import type { TomlValue } from './toml-file.ts'

export interface Setting {
  readonly key: string
  /** What it may be, for messages and docs. */
  readonly allowed: string
  readonly summary: string
  /** The value that counts; null when there is none. */
  readonly read: (config: RepoConfig) => TomlValue | null
  /** A text from the command line as TOML has it; undefined when it is not allowed. */
  readonly parse: (text: string) => TomlValue | undefined
}

const text = (value: string) => (value === '' ? undefined : value)
const flag = (value: string) => ({ true: true, false: false })[value.toLowerCase()]
const count = (value: string) => (/^[1-9]\d{0,14}$/.test(value) ? Number(value) : undefined)
const seconds = (value: string) =>
  /^\d{1,9}$/.test(value) && Number(value) <= remoteTimeoutMax ? Number(value) : undefined
const oneOf =
  (...words: readonly string[]) =>
  (value: string) =>
    words.find((word) => word === value.toLowerCase())

const flagWords = 'true or false'
const countWords = 'a whole number from 1'

export const settings: readonly Setting[] = [
  {
    key: 'default_actor',
    allowed: 'an actor of this clone',
    summary: 'the actor to write as',
    read: ({ defaultActor }) => defaultActor ?? null,
    parse: text,
  },
  {
    key: 'lock_policy',
    allowed: 'off, warn or require',
    summary: 'how a write treats a lock of somebody else on its issues: `off` (ignore), `warn`, `require` (fail)',
    read: ({ lockPolicy }) => lockPolicy,
    parse: oneOf('off', 'warn', 'require'),
  },
  {
    key: 'verify_signatures',
    allowed: 'off, warn or reject',
    summary:
      'how to treat received events with an invalid or missing signature: `off` (accept), `warn`, `reject` (the sync fails)',
    read: ({ verifySignatures }) => verifySignatures,
    parse: oneOf('off', 'warn', 'reject'),
  },
  {
    key: 'snapshot.auto',
    allowed: flagWords,
    summary: 'whether a sync creates a snapshot when one is due',
    read: ({ snapshot }) => snapshot.auto,
    parse: flag,
  },
  {
    key: 'snapshot.max_events',
    allowed: countWords,
    summary: 'number of events after the newest snapshot that makes another one due',
    read: ({ snapshot }) => snapshot.maxEvents,
    parse: count,
  },
  {
    key: 'snapshot.max_age_days',
    allowed: countWords,
    summary: 'age of the newest snapshot that makes another one due, if there are new events',
    read: ({ snapshot }) => snapshot.maxAgeDays,
    parse: count,
  },
  {
    key: 'snapshot.trust_signed',
    allowed: flagWords,
    summary:
      'whether a snapshot signed by an actor of the log is used without a check; never with `verify_signatures = "reject"`',
    read: ({ snapshot }) => snapshot.trustSigned,
    parse: flag,
  },
  {
    key: 'sync.remote',
    allowed: 'a remote of this repository',
    summary: 'the home remote, whose log the local one follows',
    read: ({ sync }) => sync.remote,
    parse: text,
  },
  {
    key: 'sync.run_hooks',
    allowed: flagWords,
    summary: 'whether pushes run your pre-push hook',
    read: ({ sync }) => sync.runHooks,
    parse: flag,
  },
  {
    key: 'remote.timeout',
    allowed: `a whole number of seconds up to ${remoteTimeoutMax}, 0 for none`,
    summary: 'seconds without activity after which git and its child processes are stopped; 0 disables the timeout',
    read: ({ remote }) => remote.timeout,
    parse: seconds,
  },
  {
    key: 'lease.remote',
    allowed: 'a remote of this repository',
    summary: 'the remote for locks and claims without `--remote`',
    read: ({ lease }) => lease.remote ?? null,
    parse: text,
  },
  {
    key: 'daemon.autospawn',
    allowed: flagWords,
    summary: 'whether a command starts a daemon in the background, which makes the next ones faster',
    read: ({ daemon }) => daemon.autospawn,
    parse: flag,
  },
  {
    key: 'daemon.idle_timeout',
    allowed: `a whole number of seconds up to ${remoteTimeoutMax}, 0 for never`,
    summary: 'seconds without a request after which a daemon ends; 0 for never',
    read: ({ daemon }) => daemon.idleTimeout,
    parse: seconds,
  },
  {
    key: 'maintenance.auto',
    allowed: flagWords,
    summary:
      'whether to start `git maintenance run --auto` in the background after many writes, and `git pack-refs` for many streams',
    read: ({ maintenance }) => maintenance.auto,
    parse: flag,
  },
]
