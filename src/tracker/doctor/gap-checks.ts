/** Missing objects: those of the log, and the targets of other refs of grite. */

import { findPromisor } from '../../git/index.ts'
import { describeGaps, detailsOfGaps, issueLog, type LogGap, rejoinAround, walRef } from '../../wal/index.ts'
import { completeFromRemotes, deleteUnreadRefs } from '../sync/complete-log.ts'
import { type Check, count, idsListedMax, nameSome, notChecked, ok } from './check.ts'
import type { Examination, LogFacts } from './examination.ts'

export const logGaps: Check = {
  id: 'log_gaps',
  async look(examination) {
    const log = await examination.log()
    if (log === null) return notChecked('the log cannot be read')
    const { gaps } = log
    if (gaps.count === 0) return ok('the log is complete')
    if (
      gaps.gaps.every(({ reason }) => reason === 'missing') &&
      findPromisor(examination.repository.layout) !== undefined
    ) {
      return ok(`this partial clone fetches ${count(gaps.count, 'object')} with the next command`)
    }
    return {
      status: 'error',
      message: `the log ${describeGaps(gaps)}`,
      plan: [
        'run `grite sync` to fetch the missing parts, or `grite doctor --fix` to try every remote',
        ...(gaps.gaps.some(isHole)
          ? ['if no remote has them, `grite doctor --fix` restores the history from before the missing commit']
          : []),
      ],
      details: detailsOfGaps(gaps),
    }
  },
  async fix(examination) {
    const { repository, context } = examination
    const { gaps } = (await examination.log()) as LogFacts
    const found = await completeFromRemotes(context, repository, gaps)
    const isRejoined = gaps.gaps.some(isHole) && (await rejoin(examination))
    // Update the view, so that the next command finds it current.
    await repository.view()
    await repository.closeView()
    if (isRejoined) return 'restored the log around the missing parts'
    return found ? 'fetched missing parts of the log' : null
  },
}

const isHole = ({ kind, reason }: LogGap): boolean => kind === 'commit' && reason !== 'shallow'

async function rejoin({ repository, nowUnixMs }: Examination): Promise<boolean> {
  return repository.exclusively(async () => {
    const head = await repository.git.readRef(walRef)
    return head !== null && (await rejoinAround(repository.git, issueLog, { head, nowUnixMs })) !== null
  })
}

/** Refs with missing targets, which make git refuse to fetch and to pack. */
export const unreadRefs: Check = {
  id: 'unread_refs',
  async look(examination) {
    const refs = (await examination.unreadRefs()).map(({ ref }) => ref as string)
    if (refs.length === 0) return ok('all other refs point to existing objects')
    return {
      status: 'error',
      message: `${count(refs.length, 'ref points', 'refs point')} to an unreadable object: ${nameSome(refs)}`,
      plan: [
        '`grite doctor --fix` deletes them: their targets are lost, and git cannot fetch or pack while they exist',
      ],
      details: { ref_count: refs.length, refs: refs.slice(0, idsListedMax) },
    }
  },
  async fix({ repository }) {
    const deleted = await deleteUnreadRefs(repository)
    return deleted.length === 0 ? null : `deleted ${count(deleted.length, 'ref')} with an unreadable target`
  },
}
