import type { ChangelogData } from '../../commands/changelog.ts'
import { escapeMarkdownLine, formatUtcDay, formatUtcMinute } from '../../model/index.ts'
import { escapeLine } from './escape-for-terminal.ts'
import { formatCount } from './facts.ts'
import { shortId } from './issue-shapes.ts'
import type { Renderer } from './renderer.ts'

type Bound = ChangelogData['since']
type Issue = ChangelogData['groups'][number]['issues'][number]

/** Types whose heading is more than their name. */
const headings: Readonly<Record<string, string>> = {
  bug: 'Bug fixes',
  feature: 'Features',
  enhancement: 'Enhancements',
  task: 'Tasks',
  epic: 'Epics',
  chore: 'Chores',
  docs: 'Documentation',
}

/** A page of Markdown, the same on a terminal and in a file. */
export const renderChangelog: Renderer<ChangelogData> = ({ since, until, groups, total }) => {
  const sections = groups.map(({ type, issues }) => {
    return `\n## ${headingOf(type)}\n\n${issues.map((issue) => `${formatItem(issue)}\n`).join('')}`
  })
  return `# ${titleOf(since, until)}\n\n${countOf(since, until, total)}\n${sections.join('')}`
}

function titleOf(since: Bound, until: Bound): string {
  if (until.name === null) return since.name === null ? 'Changes' : `Changes since ${nameOf(since)}`
  return since.name === null ? `Changes up to ${nameOf(until)}` : `Changes from ${nameOf(since)} to ${nameOf(until)}`
}

/** An age such as `7d` means nothing on a page that is read later. */
function nameOf(bound: Bound): string {
  return bound.kind === 'time' ? (momentOf(bound) ?? '') : plain(bound.name ?? '')
}

function countOf(since: Bound, until: Bound, total: number): string {
  const closed = total === 0 ? 'No issue was closed' : `${formatCount(total, 'issue')} closed`
  const [from, to] = [momentOf(since), until.kind === 'now' ? formatUtcDay(until.ts_unix_ms ?? 0) : momentOf(until)]
  return from === null ? `${closed} up to ${to}.` : `${closed} from ${from} to ${to}.`
}

/** Null for the beginning of the log. */
function momentOf({ kind, name, ts_unix_ms }: Bound): string | null {
  if (ts_unix_ms === null) return null
  const isDay = kind !== 'time' || /^\d{4}-\d\d-\d\d$/.test(name ?? '')
  return isDay ? formatUtcDay(ts_unix_ms) : formatUtcMinute(ts_unix_ms)
}

function headingOf(type: string | null): string {
  if (type === null) return 'Other'
  return headings[type] ?? plain(`${type.charAt(0).toUpperCase()}${type.slice(1)}`)
}

function formatItem(issue: Issue): string {
  const { title, assignees } = issue
  const people = assignees.length === 0 ? '' : `, ${assignees.map(plain).join(', ')}`
  return `- ${plain(title)} (\`${escapeLine(shortId(issue))}\`${people})`
}

/** A text of others as plain words in Markdown, safe to print. */
const plain = (text: string): string => escapeLine(escapeMarkdownLine(text))
