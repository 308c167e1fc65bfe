/** Commands that take many lines: totals first, then what went wrong, line by line. */
import { escapeLine } from './escape-for-terminal.ts'
import { formatCount } from './facts.ts'
import { shorten } from './issue-shapes.ts'
import type { Renderer } from './renderer.ts'

interface BulkError {
  readonly line?: number
  readonly index?: number
  readonly message?: string
  readonly error?: string | { readonly message?: string }
}

/** Numbers are totals, `errors` is the list of what failed; other keys are for scripts. */
type BulkData = Readonly<Record<string, unknown>> & { readonly errors?: readonly BulkError[] }

/** More than these are counted, not printed; `--json` has them all. */
const errorsShownMax = 20

/** @param done - how the line of totals opens, for example `Imported` */
export function renderBulk(done: string): Renderer<BulkData> {
  return (data, { quiet, style }) => {
    const totals = Object.entries(data)
      .filter((entry): entry is [string, number] => typeof entry[1] === 'number')
      .map(([name, count]) => `${count} ${escapeLine(name.replace(/_count$/, '').replaceAll('_', ' '))}`)
    const errors = Array.isArray(data.errors) ? data.errors : []
    const shown = errors.slice(0, errorsShownMax).map((error) => `  ${formatBulkError(error)}\n`)
    const rest = errors.length - shown.length
    return [
      quiet ? '' : `${style.good(done)}: ${totals.join(', ')}\n`,
      errors.length === 0 ? '' : `${style.bad('Failed')}:\n${shown.join('')}`,
      rest > 0 ? `  and ${rest} more; --json lists all\n` : '',
    ].join('')
  }
}

function formatBulkError(error: BulkError): string {
  const where = error.line !== undefined ? `line ${error.line}: ` : error.index !== undefined ? `#${error.index}: ` : ''
  const nested = typeof error.error === 'object' ? error.error?.message : error.error
  return where + escapeLine(error.message ?? nested ?? JSON.stringify(error))
}

interface BatchData {
  readonly total: number
  readonly wal_head: string | null
}

export const renderBatch: Renderer<BatchData> = ({ total, wal_head }, { quiet, style }) => {
  if (quiet) return ''
  const where = wal_head === null ? '; nothing changed' : ` as commit ${shorten(wal_head)}`
  return `${style.good('Applied')} ${formatCount(total, 'operation')}${where}\n`
}
