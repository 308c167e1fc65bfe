/** What this clone lacks: objects of the log, and those that refs of grite name. */

import { findPromisor } from '../../git/index.ts'
import { describeGaps, detailsOfGaps, issueLog, type LogGap, rejoinAround, walRef } from '../../wal/index.ts'
import { completeFromRemotes, deleteUnreadRefs } from '../sync/complete-log.ts'
import { type Check, count, idsListedMax, nameSome, notLookedAt, ok } from './check.ts'
import type { DoctorScene, LogFacts } from './examination.ts'

export const logGaps: Check = {
  id: 'log_gaps',
  async look(scene) {
    const log = await scene.log()
    if (log === null) return notLookedAt('the log cannot be read')
    const { gaps } = log
    if (gaps.count === 0) return ok('nothing of the log is missing')
    if (gaps.gaps.every(({ reason }) => reason === 'missing') && findPromisor(scene.repository.layout) !== undefined) {
      return ok(`the next command fetches ${count(gaps.count, 'object')} of this partial clone`)
    }
    return {
      status: 'error',
      message: `the log ${describeGaps(gaps)}`,
      plan: [
        '`grite sync` fetches what is missing from a remote that has it, and `grite doctor --fix` asks every remote',
        ...(gaps.gaps.some(isHole)
          ? ['where no remote has it, `grite doctor --fix` puts what came before the missing commit back into the log']
          : []),
      ],
      details: detailsOfGaps(gaps),
    }
  },
  async fix(scene) {
    const { repository, context } = scene
    const { gaps } = (await scene.log()) as LogFacts
    const found = await completeFromRemotes(context, repository, gaps)
    const isRejoined = gaps.gaps.some(isHole) && (await rejoin(scene))
    // Commands find a view that is up to date.
    await repository.view()
    await repository.letGoOfView()
    if (isRejoined) return 'put the log around what is missing'
    return found ? 'fetched what was missing of the log' : null
  },
}

const isHole = ({ kind, reason }: LogGap): boolean => kind === 'commit' && reason !== 'shallow'

async function rejoin({ repository, nowUnixMs }: DoctorScene): Promise<boolean> {
  return repository.exclusively(async () => {
    const head = await repository.git.readRef(walRef)
    return head !== null && (await rejoinAround(repository.git, issueLog, { head, nowUnixMs })) !== null
  })
}

/** Refs with which git neither fetches nor packs. */
export const unreadRefs: Check = {
  id: 'unread_refs',
  async look(scene) {
    const refs = (await scene.unreadRefs()).map(({ ref }) => ref as string)
    if (refs.length === 0) return ok('every ref beside the log names an object that is here')
    return {
      status: 'error',
      message: `${count(refs.length, 'ref names', 'refs name')} an object that cannot be read: ${nameSome(refs)}`,
      plan: [
        '`grite doctor --fix` deletes them: what they named is lost, and git neither fetches nor packs while they are there',
      ],
      details: { ref_count: refs.length, refs: refs.slice(0, idsListedMax) },
    }
  },
  async fix({ repository }) {
    const deleted = await deleteUnreadRefs(repository)
    return deleted.length === 0 ? null : `deleted ${count(deleted.length, 'ref')} that named nothing readable`
  },
}
