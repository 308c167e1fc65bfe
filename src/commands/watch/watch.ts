import { InvalidArgsError } from '../../model/index.ts'
import type { CommandContext } from '../../tracker/effects.ts'
import type { WatchedEvent } from '../../tracker/follow/describe-events.ts'
import { LogFollower } from '../../tracker/follow/follow-log.ts'
import { RefChanges } from '../../tracker/follow/ref-changes.ts'
import { type Hook, runProgram } from '../../tracker/follow/run-program.ts'
import { readSince } from '../../tracker/follow/since.ts'
import { parseDuration } from '../../tracker/parse-time.ts'
import type { PeriodicFetch } from '../../tracker/sync/periodic-fetch.ts'
import { chooseRemote } from '../../tracker/sync/remote-name.ts'
import { type DataOf, defineCommand, type GivenInput, type JsonForm } from '../define-command.ts'

const intervalMsDefault = 1000
/** Nobody notices a shorter interval, and it drains the battery. */
const intervalMsMin = 50
const secondMs = 1000
const hourMs = 3_600_000
const dayMs = 24 * hourMs

export const watch = defineCommand({
  name: 'watch',
  summary: 'Stream changes as they happen',
  description: [
    'Reports each event once, whether a local command, a sync or a plain `git fetch` added it. With --json standard output is ' +
      'one line of JSON per event and nothing else, and warnings are lines of JSON on standard error. The exit status is 0 ' +
      'after --count or --timeout, and when the reader closes the output. Without --since, existing events are not ' +
      'reported. Title and state are the current ones of the issue.',
    '',
    '--exec runs a program for each event, one at a time, with the line of JSON on its standard input. It uses no shell, and ' +
      'passes no text of an event as an argument: treat that text as untrusted data. The output of the program goes to ' +
      'standard error, and a failure is a warning. Put arguments that begin with a dash after `--`.',
    '',
    'With --fetch, the log of the remote is fetched at once and then as often as you say; a fetch that fails is a warning, ' +
      'and the next one tries again.',
    '',
    'To resume, pass the event_id of the last line to --since, or its wal_head if a sync happened in between.',
  ].join('\n'),
  examples: [
    { command: 'grite watch', explains: 'until Ctrl-C' },
    { command: 'grite watch --json --since 1d', explains: 'changes since yesterday, then new ones' },
    { command: 'grite watch --json --count 1 --timeout 10m', explains: 'wait for one change, at most ten minutes' },
    { command: 'grite watch --fetch 1m', explains: 'what others push, too' },
    { command: 'grite watch --exec ./notify.sh -- --channel issues', explains: 'run your program for each event' },
  ],
  isFeed: true,
  served: { unless: ['fetch', 'exec'] },
  effect: 'sets',
  arguments: { argument: { summary: 'Arguments for the program of --exec', optional: true, repeatable: true } },
  options: {
    since: {
      type: 'text',
      valueName: 'event|commit|7d|date|ms',
      summary: 'First report events after an event, a commit of the log, or a time',
    },
    count: { type: 'count', valueName: 'n', min: 1, summary: 'Stop after n events', short: 'n' },
    timeout: { type: 'text', valueName: '30s|10m', summary: 'Stop after this time' },
    interval: {
      type: 'text',
      valueName: '500ms|1s',
      summary: 'How often to look where the system reports no changes; default 1s',
    },
    fetch: {
      type: 'text',
      valueName: '30s|1m',
      summary: 'Also fetch from the remote this often, and report what arrives',
    },
    remote: {
      type: 'text',
      valueName: 'name',
      summary: 'Remote of --fetch; default the home remote',
      completes: 'remote',
    },
    exec: { type: 'text', valueName: 'program', summary: 'Run this program for each event', completes: 'file' },
  },
  async run(context, input) {
    const { clock, interrupted } = context
    const intervalMs =
      input.interval === undefined
        ? intervalMsDefault
        : parseDuration('interval', input.interval, { msMin: intervalMsMin, msMax: hourMs })
    const endsAtUnixMs =
      input.timeout === undefined
        ? undefined
        : clock.nowUnixMs() + parseDuration('timeout', input.timeout, { msMin: 1, msMax: 7 * dayMs })
    const countMax = input.count
    const fetchMs =
      input.fetch === undefined ? undefined : parseDuration('fetch', input.fetch, { msMin: secondMs, msMax: dayMs })
    if (input.remote !== undefined && fetchMs === undefined) {
      throw new InvalidArgsError('--remote needs --fetch', { details: { field: 'remote', value: input.remote } })
    }
    const hook = parseHook(input.exec, input.argument)
    let count = 0
    let follower: LogFollower | undefined
    let fetching: PeriodicFetch | undefined
    let changes: RefChanges | undefined
    const end = (ended: 'count' | 'timeout' | 'interrupted') => ({
      data: { events: count, ended, wal_head: follower?.head ?? null },
    })
    try {
      const repository = await context.repository()
      follower = await LogFollower.start(repository, async () =>
        input.since === undefined ? undefined : readSince(repository, input.since, clock.nowUnixMs()),
      )
      repository.tellGaps()
      if (fetchMs !== undefined) {
        const remote = await chooseRemote(repository, context.cwd, input.remote)
        const { startPeriodicFetch } = await import('../../tracker/sync/periodic-fetch.ts')
        const { runSync } = await import('../../tracker/sync/run-sync.ts')
        fetching = startPeriodicFetch(context, repository, {
          ...{ what: 'the log', pauseMs: fetchMs },
          fetch: async (own) => void (await runSync(context, own, remote, { pull: true, push: false })),
        })
      }
      changes = new RefChanges(repository.layout)
      for (;;) {
        for await (const events of follower.look()) {
          for (const event of events) {
            await tell(context, event, hook, endsAtUnixMs)
            if (++count === countMax) return end('count')
            if (interrupted.aborted) return end('interrupted')
            if (isPast(endsAtUnixMs, clock.nowUnixMs())) return end('timeout')
          }
        }
        const leftMs = endsAtUnixMs === undefined ? intervalMs : endsAtUnixMs - clock.nowUnixMs()
        if (leftMs <= 0) return end('timeout')
        await changes.wait(Math.min(intervalMs, leftMs), interrupted)
      }
    } catch (error) {
      // Errors during shutdown are expected.
      if (interrupted.aborted) return end('interrupted')
      throw error
    } finally {
      changes?.close()
      await fetching?.stop()
    }
  },
})

export type WatchInput = GivenInput<typeof watch>
export type WatchData = DataOf<typeof watch>
/** One item of the feed. */
export type WatchItem = JsonForm<WatchedEvent>

async function tell(
  context: CommandContext,
  event: WatchedEvent,
  hook: Hook | undefined,
  endsAtUnixMs: number | undefined,
): Promise<void> {
  await context.emit(event)
  if (hook !== undefined) await runProgram(context, hook, `${JSON.stringify(event)}\n`, endsAtUnixMs)
}

const isPast = (endsAtUnixMs: number | undefined, nowUnixMs: number): boolean =>
  endsAtUnixMs !== undefined && nowUnixMs >= endsAtUnixMs

function parseHook(program: string | undefined, words: readonly string[]): Hook | undefined {
  if (program === undefined && words.length > 0) {
    throw new InvalidArgsError(`argument '${words[0]}' needs --exec`, {
      details: { field: 'exec', value: words[0] },
    })
  }
  if (program === '') {
    throw new InvalidArgsError('--exec must name a program, got an empty string', { details: { field: 'exec' } })
  }
  return program === undefined ? undefined : { program, arguments: words }
}
