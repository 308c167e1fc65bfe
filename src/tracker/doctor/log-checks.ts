import { setAsideBrokenRef } from '../../git/index.ts'
import { walRef } from '../../wal/index.ts'
import { describeProblem } from '../workspace.ts'
import { type Check, count, idsListedMax, nameSome, notChecked, ok } from './check.ts'

const noLog = 'the log cannot be read'

export const walRefCheck: Check = {
  id: 'wal_ref',
  async look(examination) {
    const { head, problem } = await examination.logHead()
    if (problem !== null && (await examination.canRecover())) {
      return {
        status: 'error',
        message: problem,
        plan: [
          'the next command, or `grite doctor --fix`, restores the newest readable commit as the head of the log',
          'then run `grite sync` to fetch the later commits from a remote that has them',
        ],
      }
    }
    if (await examination.hasLost()) {
      return {
        status: 'warn',
        message: `${problem ?? `another tool moved ${walRef}`}: the log has lost events`,
        plan: ['the next command, or `grite doctor --fix`, re-appends them on top of the present head'],
      }
    }
    if (problem !== null) {
      return {
        status: 'error',
        message: problem,
        plan: [
          (await examination.isRefDamaged())
            ? '`grite doctor --fix` moves the file of the ref aside and restores the log from its reflog'
            : 'run `grite sync` to fetch the log from a remote that has it; the ref stays as it is until then',
        ],
      }
    }
    return ok(head === null ? 'there is no log yet' : `${walRef} is at ${head}`)
  },
  async fix(examination, { status }) {
    const { repository } = examination
    const isAside = (await examination.isRefDamaged()) && setAsideBrokenRef(repository.layout, walRef) !== null
    // Only a person can decide about a ref that cannot be restored.
    if (status === 'error' && !isAside && !(await examination.canRecover())) return null
    await repository.recoverHead()
    await repository.closeView()
    return 'restored events that the log had lost'
  },
}

export const logIntegrity: Check = {
  id: 'log_integrity',
  async look(examination) {
    const log = await examination.log()
    if (log === null) return notChecked(noLog)
    const events = count(log.eventCount, 'event')
    if (log.problemCount === 0) return ok(`${events} verified`)
    const objects = [...new Set(log.problems.map(({ objectId, commit }) => objectId ?? commit))]
    const details = {
      problem_count: log.problemCount,
      objects: objects.slice(0, idsListedMax),
      problems: log.problems.slice(0, idsListedMax).map(describeProblem),
    }
    if (log.damagedCount === 0) {
      const message = `${events} verified; ${count(log.problemCount, 'stated fact is', 'stated facts are')} wrong: ${nameSome(objects)}`
      return { status: 'warn', message, details }
    }
    return {
      status: 'error',
      message: `${count(log.damagedCount, 'place is', 'places are')} damaged and skipped: ${nameSome(objects)}; ${events} verified`,
      plan: ['`grite db check` lists the places; they are the same in every clone'],
      details,
    }
  },
}

export const repeatedEvents: Check = {
  id: 'repeated_events',
  async look(examination) {
    const log = await examination.log()
    if (log === null) return notChecked(noLog)
    if (log.repeatCount === 0) return ok('no event is in the log twice')
    return {
      status: 'warn',
      message: `${count(log.repeatCount, 'duplicate event', 'duplicate events')} in the log; grite counts each event once, but the Rust tool counts some twice`,
      plan: ['nothing to do: the log is never rewritten'],
      details: { repeat_count: log.repeatCount },
    }
  },
}

export const futureEvents: Check = {
  id: 'future_events',
  async look(examination) {
    const log = await examination.log()
    if (log === null) return notChecked(noLog)
    if (log.futureCount === 0) return ok('no event is dated ahead of the clock')
    const ids = log.futureEvents.map(({ eventId }) => eventId)
    return {
      status: 'warn',
      message: `${count(log.futureCount, 'event is', 'events are')} dated more than a day ahead of this clock: ${nameSome(ids, log.futureCount, 1)}`,
      plan: [
        'check the clocks of the machines; later changes of these issues are dated after the events, so nothing is blocked',
      ],
      details: {
        event_count: log.futureCount,
        events: log.futureEvents.map(({ eventId, issueId, actor, tsUnixMs }) => ({
          event_id: eventId,
          issue_id: issueId,
          actor,
          ts_unix_ms: tsUnixMs,
        })),
      },
    }
  },
}
