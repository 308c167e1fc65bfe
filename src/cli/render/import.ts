/** The result of an import or a dry run: issues, then skipped entries with reasons, then malformed entries. */
import type { ImportData } from '../../commands/import.ts'
import { escapeLine } from './escape-for-terminal.ts'
import { formatCount } from './facts.ts'
import type { Renderer, RenderView } from './renderer.ts'
import { renderImportedStreams } from './stream-remotes.ts'

/** Further errors are counted, not printed; `--json` lists them. */
const errorsShownMax = 20

export const renderImport: Renderer<ImportData> = (data, view) => {
  if (data.streams !== undefined) return renderImportedStreams({ dryRun: data.dry_run, streams: data.streams }, view)
  const lines = [headline(data, view), ...alsoDone(data), ...leftOut(data), ...waiting(data, view)]
  const summary = view.quiet ? [] : lines.map((line) => `${line}\n`)
  return [...summary, renderErrors(data, view)].join('')
}

function headline(data: ImportData, { style }: RenderView): string {
  const { created, updated, unchanged, event_count, commit_count, dry_run } = data
  if (event_count === 0) {
    const all = unchanged === 0 ? '' : `: ${formatCount(unchanged, 'issue already exists', 'issues already exist')}`
    return `${style.good('Nothing to import')}${isEmpty(data) ? ': the file has no issues' : all}.`
  }
  const size = `(${formatCount(event_count, 'event')}, ${formatCount(commit_count, 'commit')})`
  const parts = [
    ...(created > 0 ? [`${style.good(dry_run ? 'Would import' : 'Imported')} ${formatCount(created, 'issue')}`] : []),
    ...(updated > 0 ? [`${style.good(verbOfUpdate(dry_run, created > 0))} ${formatCount(updated, 'issue')}`] : []),
  ]
  const same = unchanged === 0 ? '' : ` ${formatCount(unchanged, 'issue')} unchanged.`
  if (parts.length === 0) parts.push(style.good(dry_run ? 'Would import' : 'Imported'))
  return `${parts.join(', ')} ${size}.${same}${dry_run ? ' Nothing was written.' : ''}`
}

function isEmpty({ unchanged, skipped, malformed, memories }: ImportData): boolean {
  const counts = [unchanged, malformed, ...Object.values(skipped), ...Object.values(memories ?? {})]
  return counts.every((count) => count === 0)
}

function alsoDone({ memories, connected = 0, dry_run }: ImportData): string[] {
  const lines: string[] = []
  if (memories !== undefined && memories.added > 0) {
    const entries = formatCount(memories.added, 'memory', 'memories')
    lines.push(`${dry_run ? 'Would keep' : 'Kept'} ${entries} as \`memory.<key>\` in the project context.`)
  }
  if (connected > 0) {
    const issues = formatCount(connected, 'issue of an earlier import', 'issues of earlier imports')
    lines.push(`${dry_run ? 'Would add' : 'Added'} dependencies of ${issues}.`)
  }
  return lines
}

/** Maximum number of edges printed; `--json` lists more. */
const edgesShownMax = 10

const waitingReasons: Readonly<Record<string, string>> = {
  unknown: 'is not in the log',
  tombstone: 'was deleted',
  self: 'is the issue itself',
  foreign: 'belongs to another issue',
  'too-long': 'has an id that is too long',
}

function waiting(
  { waiting_edge_count: count = 0, waiting_edges: edges = [] }: ImportData,
  { style }: RenderView,
): string[] {
  if (count === 0) return []
  const shown = edges.slice(0, edgesShownMax).map(({ original_id, type, depends_on, reason }) => {
    const target = `${escapeLine(depends_on)} ${style.dim(`(${waitingReasons[reason] ?? escapeLine(reason)})`)}`
    return `  ${escapeLine(original_id)} ${escapeLine(type)} ${target}`
  })
  const more = count > shown.length ? [`  and ${count - shown.length} more; --json lists them`] : []
  const kept = formatCount(count, 'dependency', 'dependencies')
  return [`Kept ${kept} as text; each is added when its target arrives:`, ...shown, ...more]
}

function verbOfUpdate(dryRun: boolean, goesOn: boolean): string {
  if (!dryRun) return goesOn ? 'updated' : 'Updated'
  return goesOn ? 'update' : 'Would update'
}

const reasons: Readonly<Record<string, (count: number) => string>> = {
  tombstone: (count) => `${formatCount(count, 'tombstone')} (--include-tombstones imports them)`,
  repeated: (count) => formatCount(count, 'line with a repeated issue', 'lines with repeated issues'),
  second_creation: (count) => formatCount(count, 'duplicate creation of an issue', 'duplicate creations of issues'),
  attachment: (count) => formatCount(count, 'unreadable attachment', 'unreadable attachments'),
}

function leftOut({ skipped, duplicate, superseded, memories }: ImportData): string[] {
  const parts = Object.entries(skipped)
    .filter(([, count]) => count > 0)
    .map(([reason, count]) => reasons[reason]?.(count) ?? `${count} ${escapeLine(reason.replaceAll('_', ' '))}`)
  if (duplicate > 0) parts.push(formatCount(duplicate, 'known fact', 'known facts'))
  if ((memories?.superseded ?? 0) > 0) {
    parts.push(formatCount(memories?.superseded ?? 0, 'memory changed in this log', 'memories changed in this log'))
  }
  if (superseded > 0) parts.push(formatCount(superseded, 'superseded fact', 'superseded facts'))
  return parts.length === 0 ? [] : [`Skipped ${parts.join(', ')}.`]
}

function renderErrors({ malformed, errors }: ImportData, { style }: RenderView): string {
  if (malformed === 0) return ''
  const shown = errors.slice(0, errorsShownMax).map(({ line, message }) => `  line ${line}: ${escapeLine(message)}\n`)
  const rest = errors.length - shown.length
  const more = rest > 0 ? `  and ${rest} more; --json lists all\n` : ''
  return `${style.bad('Could not read')} ${formatCount(malformed, 'line')}; imported the rest:\n${shown.join('')}${more}`
}
