import { setTimeout as sleep } from 'node:timers/promises'
import { InvalidArgsError } from '../../model/index.ts'
import type { CommandContext } from '../../tracker/effects.ts'
import type { WatchedEvent } from '../../tracker/follow/describe-events.ts'
import { LogFollower } from '../../tracker/follow/follow-log.ts'
import { type Hook, runProgram } from '../../tracker/follow/run-program.ts'
import { readSince } from '../../tracker/follow/since.ts'
import { parseDuration } from '../../tracker/parse-time.ts'
import { type DataOf, defineCommand, type GivenInput, type JsonForm } from '../define-command.ts'

const intervalMsDefault = 1000
/** Looking more often is not seen by anybody and costs a machine's battery. */
const intervalMsMin = 50
const hourMs = 3_600_000
const dayMs = 24 * hourMs

export const watch = defineCommand({
  name: 'watch',
  summary: 'Tell of changes as they come',
  description: [
    'Reports each event once, whatever wrote it: a command here, a sync, a plain `git fetch`. With --json each is a line of ' +
      'JSON, and there is nothing else on standard output; the end is told by the exit status, 0 after --count or --timeout, ' +
      'and when nobody reads the output any more. ' +
      'Warnings are lines of JSON on standard error. Without --since, what is there already is not told. The title and the ' +
      'state are those that the issue has now.',
    '',
    '--exec starts a program for each event, one after the other, with the line of JSON on its standard input. No shell is ' +
      'involved, and nothing of an event becomes an argument: treat the text as what it is, data from others. What the ' +
      'program prints goes to standard error; that it fails is a warning. Arguments that begin with a dash go behind `--`.',
    '',
    'To go on later, pass the event_id of the last line to --since; where a sync came in between, pass its wal_head.',
  ].join('\n'),
  examples: [
    { command: 'grite watch', explains: 'until Ctrl-C' },
    { command: 'grite watch --json --since 1d', explains: 'what came since yesterday, and what comes' },
    { command: 'grite watch --json --count 1 --timeout 10m', explains: 'wait for one change, at most ten minutes' },
    { command: 'grite watch --exec ./notify.sh -- --channel issues', explains: 'a program of yours for each' },
  ],
  isFeed: true,
  arguments: { argument: { summary: 'Arguments for the program of --exec', optional: true, repeatable: true } },
  options: {
    since: {
      type: 'text',
      valueName: 'event|commit|7d|date|ms',
      summary: 'First tell what the log holds after an event, a commit of the log, or a time',
    },
    count: { type: 'count', valueName: 'n', min: 1, summary: 'End after so many events', short: 'n' },
    timeout: { type: 'text', valueName: '30s|10m', summary: 'End after this time' },
    interval: { type: 'text', valueName: '500ms|1s', summary: 'How often to look; default 1s' },
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
    const hook = parseHook(input.exec, input.argument)
    let count = 0
    let follower: LogFollower | undefined
    const end = (ended: 'count' | 'timeout' | 'interrupted') => ({
      data: { events: count, ended, wal_head: follower?.head ?? null },
    })
    try {
      const repository = await context.repository()
      follower = await LogFollower.start(repository, async () =>
        input.since === undefined ? undefined : readSince(repository, input.since, clock.nowUnixMs()),
      )
      repository.tellGaps()
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
        await sleep(Math.min(intervalMs, leftMs), undefined, { signal: interrupted })
      }
    } catch (error) {
      // Whatever failed because everything is being closed is no failure.
      if (interrupted.aborted) return end('interrupted')
      throw error
    }
  },
})

export type WatchInput = GivenInput<typeof watch>
export type WatchData = DataOf<typeof watch>
/** One piece of the feed. */
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
    throw new InvalidArgsError(`'${words[0]}' would be an argument of a program, but there is no --exec`, {
      details: { field: 'exec', value: words[0] },
    })
  }
  if (program === '') {
    throw new InvalidArgsError('--exec must name a program, got an empty text', { details: { field: 'exec' } })
  }
  return program === undefined ? undefined : { program, arguments: words }
}
