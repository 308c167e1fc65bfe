import { compareViews } from '../../view/index.ts'
import { readRebuildAdvice } from '../sync/rebuild-advice.ts'
import { type Check, count, notChecked, ok } from './check.ts'
import type { Examination, StoredView } from './examination.ts'

/** Maximum number of differences listed. */
const keysListedMax = 10

const rebuildPlan = ['run `grite doctor --fix` or `grite rebuild` to rebuild the view from the log; nothing is lost']

/** The fix for all problems of a view. A view with events that the log lacks is not touched. */
async function rebuildView(examination: Examination): Promise<string | null> {
  const { repository, context } = examination
  const lost = await examination.eventsOnlyInView()
  if (lost > 0) {
    const message = `the view was not rebuilt, because it holds ${count(lost, 'event')} of an unreadable part of the log`
    context.warn({ code: 'fix-failed', message, details: { check: 'store_integrity', event_count: lost } })
    return null
  }
  await repository.rebuild()
  await repository.closeView()
  return 'rebuild'
}

export const storeIntegrity: Check = {
  id: 'store_integrity',
  async look(examination) {
    const stored = await examination.storedView()
    if (stored.kind === 'other-schema') {
      return {
        status: 'warn',
        message: 'the view was made by another version; the next command rebuilds it',
        plan: rebuildPlan,
      }
    }
    if (stored.kind === 'unreadable') {
      return { status: 'error', message: `the view cannot be opened: ${stored.reason}`, plan: rebuildPlan }
    }
    if (stored.kind !== 'view') return ok(whyNotCompared(stored))
    const problem = await examination.viewProblem()
    if (problem !== null) return { status: 'error', message: `the view is damaged: ${problem}`, plan: rebuildPlan }
    return ok(`${count(stored.view.eventCount, 'event')} verified`)
  },
  fix: rebuildView,
}

export const viewMatchesLog: Check = {
  id: 'view_matches_log',
  async look(examination) {
    const log = await examination.log()
    if (log === null) return notChecked('the log cannot be read')
    const stored = await examination.storedView()
    if (stored.kind !== 'view') return ok(whyNotCompared(stored))
    if ((await examination.viewProblem()) !== null) return notChecked('the view is damaged')
    if (await examination.hasLost()) return notChecked('the log has lost events')
    if (log.damagedCount + log.gaps.count > 0) return notChecked('a part of the log is unreadable')
    if (stored.outcome === 'rebuild-needed') {
      return {
        status: 'warn',
        message: 'the view belongs to a log that no longer exists; the next command rebuilds it',
        plan: rebuildPlan,
      }
    }
    const { count: differing, keys } = await compareViews(stored.view, log.view, keysListedMax)
    if (differing === 0) return ok('the view matches the log')
    return {
      status: 'error',
      message: `the view differs from the log in ${count(differing, 'entry', 'entries')}`,
      plan: rebuildPlan,
      details: { entry_count: differing, entries: keys },
    }
  },
  fix: rebuildView,
}

export const rebuildThreshold: Check = {
  id: 'rebuild_threshold',
  async look(examination) {
    const stored = await examination.storedView()
    if (stored.kind !== 'view') return ok(whyNotCompared(stored))
    const { eventsSince, daysSince, isRecommended } = await readRebuildAdvice(stored.view, examination.nowUnixMs)
    const age = daysSince === null ? '' : `, ${count(daysSince, 'day')}`
    const since = `${count(eventsSince, 'event')}${age} since the view was built`
    return isRecommended ? { status: 'warn', message: since, plan: rebuildPlan } : ok(since)
  },
  fix: rebuildView,
}

function whyNotCompared(stored: Exclude<StoredView, { readonly kind: 'view' }>): string {
  switch (stored.kind) {
    case 'none':
      return 'there is no view yet'
    case 'busy':
      return 'not checked: another process is writing to the view'
    case 'too-large':
      return `not checked: the view has ${stored.bytes} bytes`
    case 'other-schema':
      return 'not checked: the view was made by another version'
    case 'unreadable':
      return 'not checked: the view cannot be opened'
  }
}
