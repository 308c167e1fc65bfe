import type { Oid } from '../../git/index.ts'
import { GriteError, limits } from '../../model/index.ts'
import { issueLog, readLog, trackingRef, walRef } from '../../wal/index.ts'
import { type Check, count, notChecked, ok } from './check.ts'
import type { Examination, LogFacts } from './examination.ts'

interface Standing {
  readonly remote: string
  /** Events on the remote, as of the last fetch, that the log does not have. */
  readonly notHere: number
  /** Events of the log that the remote did not have as of the last contact. */
  readonly notThere: number
  /** Why the fetched log cannot be compared. */
  readonly problem: string | null
}

/** Compares the log with those of the remotes, as of the last fetch or push. Does not use the network. */
export const remoteDivergence: Check = {
  id: 'remote_divergence',
  async look(examination) {
    const log = await examination.log()
    if (log === null) return notChecked('the log cannot be read')
    if (await examination.hasLost()) return notChecked('the log has lost events')
    const standings: Standing[] = []
    for (const remote of await examination.repository.remotes.listRemotes()) {
      const standing = await readStanding(examination, log, remote)
      if (standing !== null) standings.push(standing)
    }
    if (standings.length === 0) return ok('no remote log has been fetched yet')
    const message = standings.map(describe).join('; ')
    const details = {
      remotes: standings.map(({ remote, notHere, notThere }) => ({ remote, not_here: notHere, not_there: notThere })),
    }
    if (standings.every(({ notHere, problem }) => notHere === 0 && problem === null)) {
      return { status: 'ok', message, details }
    }
    return { status: 'warn', message, plan: ['run `grite sync` to synchronize them'], details }
  },
}

async function readStanding({ repository }: Examination, log: LogFacts, remote: string): Promise<Standing | null> {
  const { git } = repository
  try {
    const theirs = await git.readRef(trackingRef(remote, walRef))
    if (theirs === null) return null
    const object = await git.readObject(theirs, limits.chunkReadBytesMax)
    if (object?.type !== 'commit') return { remote, notHere: 0, notThere: 0, problem: 'the fetched ref is not a log' }
    const ids = new Set<string>()
    let notHere = 0
    for await (const events of idsBetween(repository, theirs, log.head)) {
      const known = await log.view.findKnownEventIds(events)
      notHere += events.length - known.size
      for (const id of events) ids.add(id)
    }
    let notThere = 0
    if (log.head !== null) {
      for await (const events of idsBetween(repository, log.head, theirs)) {
        notThere += events.filter((id) => !ids.has(id)).length
      }
    }
    return { remote, notHere, notThere, problem: null }
  } catch (error) {
    if (!(error instanceof GriteError)) throw error
    return { remote, notHere: 0, notThere: 0, problem: error.message }
  }
}

/** Yields each event id once. */
async function* idsBetween({ git }: Examination['repository'], head: Oid, exclude: Oid | null) {
  const seen = new Set<string>()
  for await (const segments of readLog(git, issueLog, { head, exclude: exclude === null ? [] : [exclude] })) {
    yield segments
      .flatMap(({ items }) => items.map(({ event }) => event.eventId))
      .filter((id) => !seen.has(id) && seen.add(id))
  }
}

function describe({ remote, notHere, notThere, problem }: Standing): string {
  if (problem !== null) return `${remote}: ${problem}`
  if (notHere === 0) {
    return notThere === 0 ? `${remote} is up to date` : `${remote} lacks ${count(notThere, 'event')} of this clone`
  }
  const fetched = `${count(notHere, 'event')} of ${remote} ${notHere === 1 ? 'was' : 'were'} fetched but not joined`
  return notThere === 0 ? fetched : `${fetched}, and it lacks ${count(notThere, 'event')} of this clone`
}
