import { findCycles, findDependencyCycles, type IssueId, parentOf } from '../../model/index.ts'
import { shortIdLength } from '../../view/index.ts'
import { type Check, count, type Finding, idsListedMax, nameSome, notChecked, ok } from './check.ts'
import type { LogFacts } from './examination.ts'

const noLog = 'the log cannot be read'

/** One clone refuses to close a cycle, but two clones can each add a half of one. */
export const dependencyCycles: Check = {
  id: 'dependency_cycles',
  async look(examination) {
    const log = await examination.log()
    if (log === null) return notChecked(noLog)
    const cycles = findDependencyCycles(await log.view.allDependencies())
    if (cycles.length === 0) return ok('no dependency cycles')
    return describe(
      log,
      cycles,
      'issues that wait for each other',
      'remove one edge of each cycle with `grite issue dep remove`',
    )
  },
}

export const parentCycles: Check = {
  id: 'parent_cycles',
  async look(examination) {
    const log = await examination.log()
    if (log === null) return notChecked(noLog)
    const orders = (await log.view.listIssues()).flatMap(({ issue_id, fields }) => {
      const parent = parentOf(fields)
      return parent === null ? [] : [{ first: parent, waits: issue_id }]
    })
    const cycles = findCycles(orders)
    if (cycles.length === 0) return ok('no parent cycles')
    return describe(log, cycles, 'issues that are parts of each other', 'change the parent of one issue of each cycle')
  },
}

async function describe(
  { view }: LogFacts,
  cycles: readonly (readonly IssueId[])[],
  what: string,
  remedy: string,
): Promise<Finding> {
  const shown = cycles.slice(0, idsListedMax).map((cycle) => cycle.slice(0, idsListedMax))
  const [first = []] = shown
  const shortIds = await view.shortIds(first, shortIdLength)
  const names = nameSome(
    first.map((id) => shortIds.get(id) ?? id),
    cycles[0]?.length,
    5,
  )
  return {
    status: 'warn',
    message: `${count(cycles.length, 'cycle')} of ${what}: ${names}${cycles.length > 1 ? ' and others' : ''}`,
    plan: [remedy],
    details: { cycle_count: cycles.length, cycles: shown },
  }
}
