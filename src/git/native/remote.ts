import { existsSync } from 'node:fs'
import { devNull } from 'node:os'
import { join } from 'node:path'
import { GitError, GitNotFoundError, RemoteError } from '../../model/errors/index.ts'
import { classifyGitFailure } from '../classify-git-failure.ts'
import { classifyRemoteFailure, refuseCutLog, showRemote, silentRemote } from '../classify-remote-failure.ts'
import { readConfigFiles } from '../config-files.ts'
import { breakDeadChildLocks, noteChildLocks, wasKilled } from '../durable/child-locks.ts'
import { asStorageFailure } from '../durable/storage-failure.ts'
import type { Environment } from '../locate-git.ts'
import { listOwnRemotes, remotesOf } from '../own-remotes.ts'
import type { GitPort, Oid } from '../port.ts'
import { createPortContext, type PortOptions } from '../port-context.ts'
import { progressOptions } from '../progress-lines.ts'
import type { FetchRequest, PushRequest, PushUpdate, RemotePort } from '../remote-port.ts'
import type { GitResult, RunGitOptions } from '../run-git.ts'
import { enterFetchRoom, type FetchPattern, removeDeadRooms } from './fetch-room.ts'
import { moveTracking, parseFetchPattern, readTracked, type TrackedRefs, type TrackingMove } from './move-tracking.ts'
import { isPushReport, parsePushReport } from './push-report.ts'
import { openSilence, type Silence } from './silence.ts'
import { flushArguments, flushLooseArguments } from './write-objects.ts'

export interface RemoteOptions extends PortOptions {
  /** Whether git may prompt a user for a password. */
  readonly isInteractive: boolean
  /** Longest time without a sign of life from a remote. Seconds; 0 waits for ever. Read before each fetch and push. */
  readonly silenceSecondsMax?: () => Promise<number>
}

/**
 * Up to this many fetched objects become loose; larger fetches stay in their pack. A pack is one file to flush, loose
 * objects are one each; a few more packs do not matter, `git maintenance` joins them.
 */
const unpackLimit = 24

type Fetched = Omit<TrackingMove, 'patterns' | 'refsMax' | 'isFollowed'>

/**
 * The remotes of a repository, through the user's git. Starts nothing until used.
 *
 * @param port - moves the tracking refs of a remote
 */
export function openRemotes(port: GitPort, options: Omit<RemoteOptions, 'environment'>): RemotePort {
  const { layout } = port
  const context = createPortContext(layout, { ...options, environment: port.environment })
  const { git } = context
  // A relative path in a remote's URL is resolved from the top of the work tree.
  const cwd = layout.workTree ?? layout.gitDir
  const environment: Environment = options.isInteractive ? {} : { GIT_TERMINAL_PROMPT: '0', GCM_INTERACTIVE: 'never' }

  const running = new Set<Silence>()
  /** Remotes that did not answer. A command that uses one several times waits only once. */
  const silentRemotes = new Set<string>()
  let isClosed = false

  async function run(act: RemoteAct, args: readonly string[], more: RunGitOptions = {}): Promise<GitResult> {
    const { remote } = act
    const seconds = (await options.silenceSecondsMax?.()) ?? 0
    if (isClosed) throw new GitError('the repository has been closed')
    if (silentRemotes.has(remote)) throw withAdvice(silentRemote(remote, seconds), act)
    const { isInteractive } = options
    const silence = openSilence({ silenceMsMax: 1000 * seconds, isInteractive, objectDir: layout.objectDir })
    running.add(silence)
    try {
      const result = git.run([...flushArguments(await context.flushSettings()), ...args], {
        ...{ cwd, environment, ...more },
        onStart(child) {
          silence.watch(child)
          act.isWanted?.catch(silence.end)
          more.onStart?.(child)
        },
        onStderr(text) {
          silence.heard()
          more.onStderr?.(text)
        },
      })
      const ended = await Promise.race([result, silence.gone])
      // A git that succeeded at the last moment counts as successful.
      if (ended !== undefined && (!silence.isOver || ended.exitStatus === 0)) return ended
    } catch (error) {
      if (!silence.isOver) throw withAdvice(await classifyRemoteFailure(error, remote, listRemotes), act)
    } finally {
      if (silence.isOver) await silence.gone
      silence.stop()
      running.delete(silence)
    }
    silentRemotes.add(remote)
    throw withAdvice(silentRemote(remote, seconds), act)
  }

  async function listRemotes(): Promise<readonly string[]> {
    try {
      const { stdout } = await git.run(['remote'], { cwd })
      return stdout.toString('utf8').split('\n').filter(Boolean)
    } catch (error) {
      if (!(error instanceof GitNotFoundError)) throw error
      return remotesOf(readConfigFiles(layout, port.environment, error))
    }
  }

  async function hasRemote(name: string): Promise<boolean> {
    return listOwnRemotes(layout).includes(name) || (await listRemotes()).includes(name)
  }

  /** Fetches into a separate room and returns the remote's refs. */
  async function fetchAside(request: FetchRequest, patterns: readonly FetchPattern[]): Promise<Fetched> {
    const { remote, onProgress, mayMove } = request
    let isWanted = true
    mayMove?.catch(() => {
      isWanted = false
    })
    // From 2.48 on git would create a missing refs/remotes/<remote>/HEAD.
    const headOff = setOption(remote, 'followRemoteHEAD', 'never', port.environment)
    const args = [
      ...headOff.args,
      ...flushLooseArguments(await context.flushSettings()),
      ...['-c', `fetch.unpackLimit=${unpackLimit}`, '-c', 'fetch.writeCommitGraph=false'],
      // Our own writer runs no hooks either, and a hook would see refs that exist only in the room.
      ...['-c', `core.hooksPath=${devNull}`],
      // Without --refmap= the user's own refspecs would apply too, and a mirror's would move refs/grite/wal.
      ...['fetch', '--refmap=', '--no-tags', '--no-prune', '--no-filter', '--write-fetch-head'],
      ...['--no-auto-maintenance', '--recurse-submodules=no', '--progress'],
    ]
    removeDeadRooms(layout)
    // The boundary of a shallow clone is the one thing that git writes outside of the room.
    const locks = existsSync(join(layout.commonDir, 'shallow')) ? ['shallow.lock'] : []
    await breakDeadChildLocks(context, locks)
    const entering = { layout, owner: context.owner, permissions: await context.permissions() }
    for (;;) {
      const room = enterFetchRoom(entering, remote, patterns)
      let before: Promise<TrackedRefs> | undefined
      let forget = () => {}
      try {
        const { stderr } = await run(
          { remote, step: 'fetch', isWanted: mayMove },
          [...args, '--', remote, ...room.refspecs],
          {
            ...progressOptions(onProgress),
            stdout: 'ignore',
            // While git starts, and before the remote answers.
            onStart(child) {
              if (locks.length > 0) forget = noteChildLocks(context, child.pid, locks)
              before = readTracked(port, patterns)
              before.catch(() => {})
              request.onStart?.()
            },
            environment: { ...environment, ...headOff.environment, ...context.writeEnvironment(), ...room.environment },
          },
        )
        forget()
        const found = room.readFound()
        room.keep(found)
        return { before: (await before) ?? new Map(), found, refused: readRefused(stderr) }
      } catch (error) {
        room.discard()
        if (!wasKilled(error)) forget()
        // Leftovers in a used room may cause the failure, such as a ref to a missing object.
        const isOfRemote = error instanceof RemoteError && error.details.reason !== 'failed'
        if (!room.isUsed || isOfRemote || !isWanted || isClosed) throw error
      }
    }
  }

  /** Fetches objects; moves nothing except the boundary of a shallow clone. */
  async function fetchOnly(remote: string, args: readonly string[], more: RunGitOptions = {}): Promise<void> {
    context.requirePermanentStore()
    const locks = existsSync(join(layout.commonDir, 'shallow')) ? ['shallow.lock'] : []
    await breakDeadChildLocks(context, locks)
    let forget = () => {}
    try {
      await run({ remote, step: 'fetch' }, args, {
        ...more,
        onStart(child) {
          if (locks.length > 0) forget = noteChildLocks(context, child.pid, locks)
        },
        environment: { ...environment, ...context.writeEnvironment() },
      })
      forget()
    } catch (error) {
      if (!wasKilled(error)) forget()
      throw error
    }
  }

  return {
    listRemotes,
    hasRemote,
    async fetch(request: FetchRequest) {
      context.requirePermanentStore()
      const patterns = request.refspecs.map(parseFetchPattern)
      const fetched = await fetchAside(request, patterns).catch((error: unknown) => {
        throw asStorageFailure(error, 'fetching')
      })
      const [refused] = fetched.refused
      if (refused !== undefined) throw refuseCutLog(request.remote, refused)
      request.onTransferred?.(fetched.found)
      await request.mayMove
      const { refsMax, isFollowed } = request
      return moveTracking(port, { patterns, refsMax, isFollowed, ...fetched })
    },
    async push({ remote, updates, atomic, runHooks, onProgress, isWanted }: PushRequest) {
      if (updates.length === 0) return []
      // Objects that a refused push removes again must not be sent to others.
      context.requirePermanentStore()
      // A remote configured as a push mirror accepts no refspecs; we push by id.
      const mirrorOff = setOption(remote, 'mirror', 'false', port.environment)
      const { exitStatus, stdout, stderr } = await run(
        { remote, step: 'push', isWanted },
        [
          ...mirrorOff.args,
          ...['push', '--porcelain', '--no-follow-tags', '--recurse-submodules=no', '--no-signed'],
          ...(runHooks ? [] : ['--no-verify']),
          ...(atomic ? ['--atomic'] : []),
          // With --quiet git would not report successes.
          '--progress',
          ...updates.flatMap(leaseOf),
          ...['--', remote, ...updates.map(refspecOf)],
        ],
        {
          okStatuses: [0, 1],
          ...progressOptions(onProgress),
          environment: { ...environment, ...mirrorOff.environment },
        },
      )
      const report = stdout.toString('utf8')
      // Over HTTP a helper dies, with git's message; git itself exits as after a refusal.
      if (exitStatus !== 0 && !isPushReport(report)) {
        const end = classifyGitFailure({ args: ['push'], exitStatus, signal: null, stderr })
        const failure = await classifyRemoteFailure(end, remote, listRemotes)
        // transport.c, run_pre_push_hook(): git prints nothing about its refusal.
        const isUnnamed = failure instanceof RemoteError && failure.details.reason === 'failed'
        if (!runHooks || !isUnnamed) throw withAdvice(failure, { remote, step: 'push' })
        return updates.map(({ ref }) => ({ ref, outcome: 'rejected', reason: 'pre-push hook of this clone declined' }))
      }
      return parsePushReport(report, updates)
    },
    close() {
      isClosed = true
      for (const silence of running) silence.end()
    },
    async listMissing(head, exclude) {
      const range = exclude.length === 0 ? [head] : [head, '--not', ...exclude]
      const { stdout } = await git.run(['rev-list', '--objects', '--no-object-names', '--missing=print', ...range])
      const lines = stdout.toString('latin1').split('\n')
      return lines.filter((line) => line.startsWith('?')).map((line) => line.slice(1) as Oid)
    },
    async fetchObjects(remote, oids) {
      const input = Buffer.from(oids.map((oid) => `${oid}\n`).join(''), 'latin1')
      await run(
        { remote, step: 'fetch' },
        [
          ...['-c', 'fetch.negotiationAlgorithm=noop', 'fetch', '--progress', '--no-tags', '--no-write-fetch-head'],
          ...['--no-auto-maintenance', '--recurse-submodules=no', '--filter=blob:none', '--stdin', '--', remote],
        ],
        { input },
      )
    },
    async refetchObjects(remote, oids) {
      const input = Buffer.from(oids.map((oid) => `${oid}\n`).join(''), 'latin1')
      await fetchOnly(remote, [...withoutNegotiation, 'fetch', ...fetchOnlyOptions, '--stdin', '--', remote], { input })
    },
    async refetchRef(remote, ref) {
      await fetchOnly(remote, [...withoutNegotiation, 'fetch', ...fetchOnlyOptions, '--refetch', '--', remote, ref])
    },
    async completeRef(remote, ref) {
      await fetchOnly(remote, ['fetch', ...fetchOnlyOptions, `--depth=${wholeDepth}`, '--', remote, ref])
    },
  }
}

/** Fetched objects stay in their pack: unpacking skips objects whose files exist. */
const withoutNegotiation = [
  ...['-c', 'fetch.negotiationAlgorithm=noop', '-c', 'fetch.unpackLimit=1', '-c', 'fetch.writeCommitGraph=false'],
] as const
const fetchOnlyOptions = [
  ...['--refmap=', '--progress', '--no-tags', '--no-filter', '--no-write-fetch-head'],
  ...['--no-auto-maintenance', '--recurse-submodules=no'],
] as const
/** With 2^31 - 1, the value of `--unshallow`, git would complete every branch of the clone, too. */
const wholeDepth = 2 ** 31 - 2

/** builtin/fetch.c, store_updated_refs(), in two wordings: refs that only a shallow clone could accept. */
function readRefused(stderr: string): ReadonlySet<string> {
  const lines = stderr.matchAll(/reject(?:ed)? (refs\/\S+) because shallow roots are not allowed to be updated/g)
  return new Set([...lines].map(([, ref = '']) => ref))
}

interface RemoteAct {
  readonly remote: string
  readonly step: 'fetch' | 'push'
  /** Ends git when it rejects. */
  readonly isWanted?: Promise<unknown> | undefined
}

/** Reasons after which a push may have succeeded: only the answer may be lost. */
const maybeTaken: readonly unknown[] = ['unreachable', 'silent', 'failed']

/** Adds to a failure what it means for the user's events, the same for every command. */
function withAdvice(failure: unknown, { remote, step }: RemoteAct): unknown {
  if (!(failure instanceof RemoteError)) return failure
  const { message, details, hints, cause } = failure
  const advice =
    step === 'push' && maybeTaken.includes(details.reason)
      ? `Nothing is lost, but '${showRemote(remote)}' may or may not have accepted the push; the next \`grite sync\` finds out`
      : 'Nothing is lost: your changes are in this clone, and the next `grite sync` pushes them'
  return new RemoteError(message, { details: { ...details, step }, hints: [...hints, advice], cause })
}

/** Runs git with an option of a remote set for this run only. */
function setOption(remote: string, option: string, value: string, { GIT_CONFIG_COUNT }: Environment) {
  const key = `remote.${remote}.${option}`
  // A URL cannot be a section name.
  if (/[\s:]/.test(remote)) return { args: [], environment: {} }
  if (!remote.includes('=')) return { args: ['-c', `${key}=${value}`], environment: {} }
  // With -c the key would end there (git 2.31 supports this way).
  const count = Number(GIT_CONFIG_COUNT ?? 0)
  const pair = { [`GIT_CONFIG_KEY_${count}`]: key, [`GIT_CONFIG_VALUE_${count}`]: value }
  return { args: [], environment: { ...pair, GIT_CONFIG_COUNT: `${count + 1}` } }
}

function refspecOf({ ref, next }: PushUpdate): string {
  return `${next ?? ''}:${ref}`
}

/** git's compare-and-swap; not for moves, because it would also allow non-fast-forwards. */
function leaseOf(update: PushUpdate): readonly string[] {
  if (update.next === null) return [`--force-with-lease=${update.ref}:${update.expected}`]
  return update.isNew === true ? [`--force-with-lease=${update.ref}:`] : []
}
