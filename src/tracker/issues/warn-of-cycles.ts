import type { IssueId } from '../../model/index.ts'
import type { CommandContext } from '../effects.ts'

/** Maximum number of cycles, and of members per cycle, in warnings. */
const cyclesToldMax = 5
const membersToldMax = 10

/**
 * Warns of dependency or parent cycles: one clone refuses to close a cycle, but two clones can create one together.
 */
export function warnOfCycles(
  context: CommandContext,
  relation: 'wait for' | 'are parts of',
  cycles: readonly (readonly IssueId[])[],
  shortIds: ReadonlyMap<IssueId, string>,
): void {
  const remedy = relation === 'wait for' ? 'remove one of their edges' : 'change the parent of one of them'
  for (const cycle of cycles.slice(0, cyclesToldMax)) {
    const issues = cycle.slice(0, membersToldMax)
    const names = issues.map((id) => shortIds.get(id) ?? id).join(', ')
    const more = cycle.length > issues.length ? ` and ${cycle.length - issues.length} more` : ''
    const others = cycle.length === 1 ? 'themselves' : 'each other'
    const message = `these issues ${relation} ${others}; ${remedy}: ${names}${more}`
    context.warn({ code: 'dependency-cycle', message, details: { issues, length: cycle.length } })
  }
  const left = cycles.length - cyclesToldMax
  if (left > 0) context.warn({ code: 'dependency-cycle', message: `there are ${left} more such cycles` })
}
