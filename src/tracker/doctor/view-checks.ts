import { compareViews } from '../../view/index.ts'
import { readRebuildAdvice } from '../sync/rebuild-advice.ts'
import { type Check, count, notLookedAt, ok } from './check.ts'
import type { DoctorScene, StoredView } from './examination.ts'

/** Differences that are named. */
const keysListedMax = 10

const rebuildPlan = ['`grite doctor --fix`, or `grite rebuild`, rebuilds the view from the log; nothing is lost by it']

/** The one fix of everything that is wrong with a view. One that holds what the log lacks is left as it is. */
async function rebuildView(scene: DoctorScene): Promise<string | null> {
  const { repository, context } = scene
  const lost = await scene.eventsOnlyInView()
  if (lost > 0) {
    const message = `the view was not rebuilt: it holds ${count(lost, 'event')} of a part of the log that cannot be read`
    context.warn({ code: 'fix-failed', message, details: { check: 'store_integrity', event_count: lost } })
    return null
  }
  await repository.rebuild()
  await repository.letGoOfView()
  return 'rebuild'
}

export const storeIntegrity: Check = {
  id: 'store_integrity',
  async look(scene) {
    const stored = await scene.storedView()
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
    const problem = await scene.viewProblem()
    if (problem !== null) return { status: 'error', message: `the view is damaged: ${problem}`, plan: rebuildPlan }
    return ok(`${count(stored.view.eventCount, 'event')} verified`)
  },
  fix: rebuildView,
}

export const viewMatchesLog: Check = {
  id: 'view_matches_log',
  async look(scene) {
    const log = await scene.log()
    if (log === null) return notLookedAt('the log cannot be read')
    const stored = await scene.storedView()
    if (stored.kind !== 'view') return ok(whyNotCompared(stored))
    if ((await scene.viewProblem()) !== null) return notLookedAt('the view is damaged')
    if (await scene.hasLost()) return notLookedAt('the log lacks events that it once had')
    if (log.damagedCount + log.gaps.count > 0) return notLookedAt('a part of the log cannot be read')
    if (stored.outcome === 'rebuild-needed') {
      return {
        status: 'warn',
        message: 'the view belongs to a log that is gone; the next command rebuilds it',
        plan: rebuildPlan,
      }
    }
    const { count: differing, keys } = await compareViews(stored.view, log.view, keysListedMax)
    if (differing === 0) return ok('the view is what the log says')
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
  async look(scene) {
    const stored = await scene.storedView()
    if (stored.kind !== 'view') return ok(whyNotCompared(stored))
    const { eventsSince, daysSince, isRecommended } = await readRebuildAdvice(stored.view, scene.nowUnixMs)
    const age = daysSince === null ? '' : `, ${count(daysSince, 'day')}`
    const since = `${count(eventsSince, 'event')}${age} since the view was made`
    return isRecommended ? { status: 'warn', message: since, plan: rebuildPlan } : ok(since)
  },
  fix: rebuildView,
}

function whyNotCompared(stored: Exclude<StoredView, { readonly kind: 'view' }>): string {
  switch (stored.kind) {
    case 'none':
      return 'there is no view yet'
    case 'busy':
      return 'not looked at: another process is writing to the view'
    case 'too-large':
      return `not looked at: the view has ${stored.bytes} bytes`
    case 'other-schema':
      return 'not looked at: the view was made by another version'
    case 'unreadable':
      return 'not looked at: the view cannot be opened'
  }
}
