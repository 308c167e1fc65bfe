import { setAsideBrokenRef } from '../../git/index.ts'
import { walRef } from '../../wal/index.ts'
import { describeProblem } from '../workspace.ts'
import { type Check, count, idsListedMax, nameSome, notLookedAt, ok } from './check.ts'

const noLog = 'the log cannot be read'

export const walRefCheck: Check = {
  id: 'wal_ref',
  async look(scene) {
    const { head, problem } = await scene.logHead()
    if (problem !== null && (await scene.canRecover())) {
      return {
        status: 'error',
        message: problem,
        plan: [
          'the next command puts the log back on the newest commit that can be read, and so does `grite doctor --fix`',
          '`grite sync` then fetches what came after that from a remote that has it',
        ],
      }
    }
    if (await scene.hasLost()) {
      return {
        status: 'warn',
        message: `${problem ?? `something else moved ${walRef}`}: the log lacks events that it once had`,
        plan: ['the next command puts them back on top of what is there now, and so does `grite doctor --fix`'],
      }
    }
    if (problem !== null) {
      return {
        status: 'error',
        message: problem,
        plan: [
          (await scene.isRefDamaged())
            ? '`grite doctor --fix` moves the file of the ref aside, and puts the log back by its reflog'
            : '`grite sync` takes the log from a remote that has it; nothing is moved here',
        ],
      }
    }
    return ok(head === null ? 'there is no log yet' : `${walRef} is at ${head}`)
  },
  async fix(scene, { status }) {
    const { repository } = scene
    const isAside = (await scene.isRefDamaged()) && setAsideBrokenRef(repository.layout, walRef) !== null
    // A ref that leads nowhere is for a person to judge.
    if (status === 'error' && !isAside && !(await scene.canRecover())) return null
    await repository.recoverHead()
    await repository.letGoOfView()
    return 'put back what the log had lost'
  },
}

export const logIntegrity: Check = {
  id: 'log_integrity',
  async look(scene) {
    const log = await scene.log()
    if (log === null) return notLookedAt(noLog)
    const events = count(log.eventCount, 'event')
    if (log.problemCount === 0) return ok(`${events} verified`)
    const objects = [...new Set(log.problems.map(({ objectId, commit }) => objectId ?? commit))]
    const details = {
      problem_count: log.problemCount,
      objects: objects.slice(0, idsListedMax),
      problems: log.problems.slice(0, idsListedMax).map(describeProblem),
    }
    if (log.damagedCount === 0) {
      const message = `${events} verified; ${count(log.problemCount, 'stated fact does', 'stated facts do')} not hold: ${nameSome(objects)}`
      return { status: 'warn', message, details }
    }
    return {
      status: 'error',
      message: `${count(log.damagedCount, 'place is', 'places are')} damaged and passed over: ${nameSome(objects)}; ${events} verified`,
      plan: ['`grite db check` lists the places; every clone has them so'],
      details,
    }
  },
}

export const repeatedEvents: Check = {
  id: 'repeated_events',
  async look(scene) {
    const log = await scene.log()
    if (log === null) return notLookedAt(noLog)
    if (log.repeatCount === 0) return ok('no event stands in the log twice')
    return {
      status: 'warn',
      message: `${count(log.repeatCount, 'event stands', 'events stand')} in the log again; here each counts once, the Rust tool counts some twice`,
      plan: ['nothing: the log is never rewritten'],
      details: { repeat_count: log.repeatCount },
    }
  },
}

export const futureEvents: Check = {
  id: 'future_events',
  async look(scene) {
    const log = await scene.log()
    if (log === null) return notLookedAt(noLog)
    if (log.futureCount === 0) return ok('no event is dated ahead of the clock')
    const ids = log.futureEvents.map(({ eventId }) => eventId)
    return {
      status: 'warn',
      message: `${count(log.futureCount, 'event is', 'events are')} dated more than a day ahead of this clock: ${nameSome(ids, log.futureCount, 1)}`,
      plan: [
        'compare the clocks of the machines; later changes of those issues are dated after them, so nothing is stuck',
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
