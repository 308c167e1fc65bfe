/** What an import did, or would do: issues first, then what was left out and why, then what could not be read. */
import { escapeLine } from './escape-for-terminal.ts'
import { formatCount } from './facts.ts'
import type { Renderer, RenderView } from './renderer.ts'

interface ImportData {
  readonly dry_run: boolean
  readonly created: number
  readonly updated: number
  readonly unchanged: number
  readonly skipped: Readonly<Record<string, number>>
  readonly duplicate: number
  readonly superseded: number
  readonly malformed: number
  readonly event_count: number
  readonly commit_count: number
  readonly errors: readonly { readonly line: number; readonly message: string }[]
}

/** More than these are counted, not printed; `--json` has them all. */
const errorsShownMax = 20

export const renderImport: Renderer<ImportData> = (data, view) => {
  const summary = view.quiet ? [] : [`${headline(data, view)}\n`, ...leftOut(data).map((line) => `${line}\n`)]
  return [...summary, renderErrors(data, view)].join('')
}

function headline(data: ImportData, { style }: RenderView): string {
  const { created, updated, unchanged, event_count, commit_count, dry_run } = data
  if (event_count === 0) {
    const all = unchanged === 0 ? '' : `: ${formatCount(unchanged, 'issue is', 'issues are')} here already`
    return `${style.good('Nothing to import')}${all}.`
  }
  const size = `(${formatCount(event_count, 'event')}, ${formatCount(commit_count, 'commit')})`
  const parts = [
    ...(created > 0 ? [`${style.good(dry_run ? 'Would import' : 'Imported')} ${formatCount(created, 'issue')}`] : []),
    ...(updated > 0 ? [`${style.good(verbOfUpdate(dry_run, created > 0))} ${formatCount(updated, 'issue')}`] : []),
  ]
  const same = unchanged === 0 ? '' : ` ${formatCount(unchanged, 'issue')} unchanged.`
  return `${parts.join(', ')} ${size}.${same}${dry_run ? ' Nothing was written.' : ''}`
}

function verbOfUpdate(dryRun: boolean, goesOn: boolean): string {
  if (!dryRun) return goesOn ? 'updated' : 'Updated'
  return goesOn ? 'update' : 'Would update'
}

const reasons: Readonly<Record<string, (count: number) => string>> = {
  tombstone: (count) => `${formatCount(count, 'tombstone')} (--include-tombstones imports them)`,
  repeated: (count) => formatCount(count, 'line that repeats another issue', 'lines that repeat other issues'),
  second_creation: (count) => formatCount(count, 'second creation of an issue', 'second creations of issues'),
  attachment: (count) => formatCount(count, 'attachment that cannot be read', 'attachments that cannot be read'),
}

function leftOut({ skipped, duplicate, superseded }: ImportData): string[] {
  const parts = Object.entries(skipped)
    .filter(([, count]) => count > 0)
    .map(([reason, count]) => reasons[reason]?.(count) ?? `${count} ${escapeLine(reason.replaceAll('_', ' '))}`)
  if (duplicate > 0) parts.push(formatCount(duplicate, 'fact that was told before', 'facts that were told before'))
  if (superseded > 0)
    parts.push(formatCount(superseded, 'fact that a newer one replaces', 'facts that newer ones replace'))
  return parts.length === 0 ? [] : [`Skipped ${parts.join(', ')}.`]
}

function renderErrors({ malformed, errors }: ImportData, { style }: RenderView): string {
  if (malformed === 0) return ''
  const shown = errors.slice(0, errorsShownMax).map(({ line, message }) => `  line ${line}: ${escapeLine(message)}\n`)
  const rest = errors.length - shown.length
  const more = rest > 0 ? `  and ${rest} more; --json lists all\n` : ''
  return `${style.bad('Could not read')} ${formatCount(malformed, 'line')}; the rest was taken:\n${shown.join('')}${more}`
}
