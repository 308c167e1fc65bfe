import { RemoteError } from '../../model/errors/index.ts'
import { classifyGitFailure } from '../classify-git-failure.ts'
import { classifyRemoteFailure, showRemote, silentRemote } from '../classify-remote-failure.ts'
import type { Environment } from '../locate-git.ts'
import { listOwnRemotes } from '../own-remotes.ts'
import type { Oid, RepositoryLayout } from '../port.ts'
import { createPortContext, type PortOptions } from '../port-context.ts'
import type { FetchRequest, OnProgress, PushRequest, PushUpdate, RemotePort } from '../remote-port.ts'
import type { GitResult, RunGitOptions } from '../run-git.ts'
import { isPushReport, parsePushReport } from './push-report.ts'
import { openSilence, type Silence } from './silence.ts'
import { flushArguments } from './write-objects.ts'

export interface RemoteOptions extends PortOptions {
  /** Whether somebody sits there whom git may ask for a password. */
  readonly isInteractive: boolean
  /** Longest time without a sign of life from a remote. Seconds; 0 waits for ever. Read before each fetch and push. */
  readonly silenceSecondsMax?: () => Promise<number>
}

/**
 * Fetched objects up to this many become loose ones, above it they stay in the pack they came in. A pack is one file to
 * flush, a loose object is one each; a few packs more are no burden, `git maintenance` joins them.
 */
const unpackLimit = 24

/** The remotes of a repository, through the user's git. Starts nothing until asked. */
export function openRemotes(layout: RepositoryLayout, options: RemoteOptions): RemotePort {
  const context = createPortContext(layout, options)
  const { git } = context
  // A relative path in a remote's address is meant from the top of the work tree.
  const cwd = layout.workTree ?? layout.gitDir
  const environment: Environment = options.isInteractive ? {} : { GIT_TERMINAL_PROMPT: '0', GCM_INTERACTIVE: 'never' }

  const running = new Set<Silence>()
  /** Remotes that did not answer. A command that needs one several times waits only once. */
  const silentRemotes = new Set<string>()

  async function run(act: RemoteAct, args: readonly string[], more: RunGitOptions = {}): Promise<GitResult> {
    const { remote } = act
    const seconds = (await options.silenceSecondsMax?.()) ?? 0
    if (silentRemotes.has(remote)) throw withAdvice(silentRemote(remote, seconds), act)
    const { isInteractive } = options
    const silence = openSilence({ silenceMsMax: 1000 * seconds, isInteractive, objectDir: layout.objectDir })
    running.add(silence)
    try {
      const result = git.run([...flushArguments(await context.flushSettings()), ...args], {
        ...{ cwd, environment, ...more },
        onStart: silence.watch,
        onStderr(text) {
          silence.heard()
          more.onStderr?.(text)
        },
      })
      const ended = await Promise.race([result, silence.gone])
      // A git that succeeded at the last moment has succeeded.
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
    const { stdout } = await git.run(['remote'], { cwd })
    return stdout.toString('utf8').split('\n').filter(Boolean)
  }

  async function hasRemote(name: string): Promise<boolean> {
    return listOwnRemotes(layout).includes(name) || (await listRemotes()).includes(name)
  }

  return {
    listRemotes,
    hasRemote,
    async fetch({ remote, refspecs, onProgress }: FetchRequest) {
      // From 2.48 on git would make refs/remotes/<remote>/HEAD where there is none.
      const headOff = setOption(remote, 'followRemoteHEAD', 'never', options.environment)
      await run(
        { remote, step: 'fetch' },
        [
          ...headOff.args,
          ...['-c', `fetch.unpackLimit=${unpackLimit}`, '-c', 'fetch.writeCommitGraph=false'],
          // Without --refmap= the user's own refspecs would apply too, and a mirror's would move refs/grite/wal.
          ...['fetch', '--refmap=', '--no-tags', '--prune', '--no-filter', '--no-write-fetch-head'],
          ...['--no-auto-maintenance', '--recurse-submodules=no', '--progress'],
          ...['--', remote, ...refspecs],
        ],
        { ...progressOptions(onProgress), environment: { ...environment, ...headOff.environment } },
      )
    },
    async push({ remote, updates, atomic, runHooks, onProgress }: PushRequest) {
      if (updates.length === 0) return []
      // A remote configured as a push mirror takes no refspecs; what we push is named by id.
      const mirrorOff = setOption(remote, 'mirror', 'false', options.environment)
      const { exitStatus, stdout, stderr } = await run(
        { remote, step: 'push' },
        [
          ...mirrorOff.args,
          ...['push', '--porcelain', '--no-follow-tags', '--recurse-submodules=no', '--no-signed'],
          ...(runHooks ? [] : ['--no-verify']),
          ...(atomic ? ['--atomic'] : []),
          // With --quiet nothing would be reported of what went well.
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
      // Over HTTP it is a helper that dies, with what git would say; git itself ends as after a refusal.
      if (exitStatus !== 0 && !isPushReport(report)) {
        const end = classifyGitFailure({ args: ['push'], exitStatus, signal: null, stderr })
        const failure = await classifyRemoteFailure(end, remote, listRemotes)
        // transport.c, run_pre_push_hook(): of its refusal git says nothing.
        const isUnnamed = failure instanceof RemoteError && failure.details.reason === 'failed'
        if (!runHooks || !isUnnamed) throw withAdvice(failure, { remote, step: 'push' })
        return updates.map(({ ref }) => ({ ref, outcome: 'rejected', reason: 'pre-push hook of this clone declined' }))
      }
      return parsePushReport(report, updates)
    },
    close() {
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
  }
}

interface RemoteAct {
  readonly remote: string
  readonly step: 'fetch' | 'push'
}

/** Reasons that leave open whether a push succeeded: the answer may be what got lost. */
const maybeTaken: readonly unknown[] = ['unreachable', 'silent', 'failed']

/** Adds to a failure what it means for the user's events. That is the same for every command. */
function withAdvice(failure: unknown, { remote, step }: RemoteAct): unknown {
  if (!(failure instanceof RemoteError)) return failure
  const { message, details, hints, cause } = failure
  const advice =
    step === 'push' && maybeTaken.includes(details.reason)
      ? `Nothing is lost, but '${showRemote(remote)}' may or may not have taken the push; the next \`grite sync\` finds out`
      : 'Nothing is lost: what you wrote is in this clone, and the next `grite sync` sends it'
  return new RemoteError(message, { details: { ...details, step }, hints: [...hints, advice], cause })
}

/** progress.c: `Receiving objects:  45% (9/20), 1.2 MiB | 3 MiB/s`, drawn again and again in one line. */
const progressLine = /([A-Z][a-z]+ [a-z]+): +\d+% \((\d+)\/(\d+)\)/g

function progressOptions(onProgress: OnProgress | undefined): RunGitOptions {
  if (onProgress === undefined) return {}
  return {
    onStderr(text) {
      const [, phase = '', done, total] = [...text.matchAll(progressLine)].at(-1) ?? []
      if (phase !== '') onProgress(phase, Number(done), Number(total))
    },
  }
}

/** Runs git with an option of a remote set for once. */
function setOption(remote: string, option: string, value: string, { GIT_CONFIG_COUNT }: Environment) {
  const key = `remote.${remote}.${option}`
  // An address is no name of a section.
  if (/[\s:]/.test(remote)) return { args: [], environment: {} }
  if (!remote.includes('=')) return { args: ['-c', `${key}=${value}`], environment: {} }
  // With -c the key would end there (git 2.31 knows this way).
  const count = Number(GIT_CONFIG_COUNT ?? 0)
  const pair = { [`GIT_CONFIG_KEY_${count}`]: key, [`GIT_CONFIG_VALUE_${count}`]: value }
  return { args: [], environment: { ...pair, GIT_CONFIG_COUNT: `${count + 1}` } }
}

function refspecOf({ ref, next }: PushUpdate): string {
  return `${next ?? ''}:${ref}`
}

/** git's compare-and-swap; for a deletion only, because elsewhere it would also allow what is no fast-forward. */
function leaseOf(update: PushUpdate): readonly string[] {
  return update.next === null ? [`--force-with-lease=${update.ref}:${update.expected}`] : []
}
