import type { IssueShowData } from '../../commands/issue/show.ts'
import { renderComments } from './comments.ts'
import { escapeLine, escapeText } from './escape-for-terminal.ts'
import { type Fact, renderFacts } from './facts.ts'
import { formatValue, paintState } from './issue-list.ts'
import { holderOf, type IssueDetail, type MentionedIssue, shorten, shortId } from './issue-shapes.ts'
import { formatMinute, formatRelativeTime } from './relative-time.ts'
import type { PieceRenderer, RenderView } from './renderer.ts'
import { signatureFaults } from './signature-faults.ts'
import { tablePieces } from './table.ts'
import { wrapProse, wrapTitle } from './wrap-prose.ts'

type ShownEvent = NonNullable<IssueShowData['events']>[number]
type WholeIssue = Extract<IssueShowData, { readonly columns?: undefined }>

export const renderIssueShow: PieceRenderer<IssueShowData> = async function* (data, view) {
  if (data.columns !== undefined) {
    yield* renderPicked(data.issue, data.columns, view)
    return
  }
  let isFirst = true
  for await (const section of sectionsOf(data, view)) {
    if (section === '') continue
    yield isFirst ? section : `\n${section}`
    isFirst = false
  }
  for await (const { startsThread, text } of renderComments(data.issue.comments ?? [], view)) {
    yield startsThread ? `\n${text}` : text
  }
  const signatures = renderSignatures(data.events ?? [], view)
  if (signatures !== '') yield `\n${signatures}`
}

/** The selected keys: a line each on a terminal, else one line as `issue list --fields` prints it. */
async function* renderPicked(issue: object, keys: readonly string[], view: RenderView): AsyncGenerator<string> {
  const values = new Map(Object.entries(issue))
  const text = (key: string) => formatValue(values.get(key))
  if (view.width !== null)
    yield renderFacts(
      keys.map((key) => [key, text(key)]),
      view,
    )
  else
    yield* tablePieces(
      [issue],
      keys.map((key) => ({ heading: key, text: () => text(key) })),
      view,
    )
}

/** Everything above the comments. */
async function* sectionsOf({ issue }: WholeIssue, view: RenderView): AsyncGenerator<string> {
  const { style } = view
  const title = `${style.bold(await wrapTitle(escapeLine(issue.title), view.width, 0))}\n`
  const state = `${style.accent(escapeLine(shortId(issue)))}  ${paintState(issue.state, issue.state, style)}\n`
  yield title + state
  yield renderProperties(issue, view)
  yield await renderBody(issue.body ?? '', view)
  yield await renderChildren(issue, view)
  yield await renderRelations(issue, view)
  yield renderLinks(issue, view)
  yield renderAttachments(issue, view)
}

function renderProperties(issue: IssueDetail, view: RenderView): string {
  const { priority, type, status, due, defer, milestone, parent } = issue.fields ?? {}
  const shown = new Set(Object.entries(issue.fields ?? {}).map(([key, value]) => `${key}:${value}`))
  const author = issue.author_label ?? (issue.author === undefined ? '' : shorten(issue.author))
  const facts: readonly Fact[] = [
    ['Priority', priority],
    ['Type', type],
    ['Status', status],
    ['Due', issue.overdue ? `${due} (overdue)` : due],
    ['Deferred to', defer],
    ['Milestone', milestone],
    ['Parent', formatParent(issue.parent_issue, parent)],
    ['Labels', issue.labels.filter((label) => !shown.has(label)).join(', ')],
    ['Assignees', issue.assignees.join(', ')],
    ['Claimed', formatClaim(issue.claim)],
    ['Imported as', issue.original_id],
    ['Created', `${formatWhen(issue.created_ts, view)}${author === '' ? '' : ` by ${author}`}`],
    ['Updated', formatWhen(issue.updated_ts, view)],
  ]
  return renderFacts(facts, view)
}

function formatClaim(claim: IssueDetail['claim']): string | undefined {
  if (!claim) return undefined
  const where = claim.level === 'remote' ? 'for all clones' : 'in this clone'
  return `by ${holderOf(claim)} ${where}, until ${formatMinute(claim.until)}`
}

function formatParent(parent: IssueDetail['parent_issue'], id: string | null | undefined): string | null | undefined {
  if (parent === undefined || parent === null) return id?.slice(0, 8)
  return `${shortId(parent)} ${parent.title}${stateNote(parent.state)}`
}

/** Open is the default and not shown. */
const stateNote = (state: string | null | undefined) => (state === 'closed' ? ' (closed)' : '')

/** Relative time on a terminal; a date in files, which may be read later. */
function formatWhen(tsUnixMs: number, { width, nowUnixMs }: RenderView): string {
  if (width === null) return formatMinute(tsUnixMs)
  return `${formatRelativeTime(tsUnixMs, nowUnixMs)} (${formatMinute(tsUnixMs)})`
}

async function renderBody(body: string, { style, width }: RenderView): Promise<string> {
  if (body.trim() === '') return `${style.dim('No description.')}\n`
  return `${await wrapProse(escapeText(body.trimEnd()), width)}\n`
}

function section(heading: string, lines: readonly string[], { style }: RenderView): string {
  if (lines.length === 0) return ''
  return `${style.bold(heading)}\n${lines.map((line) => `  ${line}\n`).join('')}`
}

async function renderChildren({ children = [], progress }: IssueDetail, view: RenderView): Promise<string> {
  const done = progress === undefined || progress === null ? '' : ` (${progress.closed} of ${progress.total} closed)`
  return section(`Parts${done}`, await Promise.all(children.map((child) => formatRelation(child, view))), view)
}

/** Headings in order, each with the types of its edges: those of the issue itself, and those of other issues to it. */
const relationHeadings = [
  { heading: 'Depends on', own: 'depends_on', others: undefined },
  { heading: 'Blocks', own: 'blocks', others: undefined },
  { heading: 'Needed by', own: undefined, others: 'depends_on' },
  { heading: 'Blocked by', own: undefined, others: 'blocks' },
  { heading: 'Related to', own: 'related_to', others: 'related_to' },
] as const

async function renderRelations({ dependencies = [], dependents = [] }: IssueDetail, view: RenderView): Promise<string> {
  const sections: string[] = []
  for (const { heading, own, others } of relationHeadings) {
    const mine = dependencies.filter(({ dep_type }) => dep_type === own)
    const theirs = dependents.filter(({ dep_type }) => dep_type === others)
    // Two issues may each have an edge to the other.
    const fresh = theirs.filter(({ issue_id }) => !mine.some((each) => each.issue_id === issue_id))
    const lines = await Promise.all([...mine, ...fresh].map((relation) => formatRelation(relation, view)))
    if (lines.length > 0) sections.push(section(heading, lines, view))
  }
  return sections.join('\n')
}

/** A line of a section; a long title continues below its start. */
async function formatRelation(relation: MentionedIssue, { style, width }: RenderView): Promise<string> {
  const { title, state } = relation
  const id = shortId(relation)
  const note = typeof state === 'string' ? ` (${escapeLine(state)})` : ''
  const text = await wrapTitle(escapeLine(title) + note, width, sectionIndent + id.length + 1)
  const painted =
    text.endsWith(note) && note !== '' ? `${text.slice(0, -note.length)} ${style.dim(note.trimStart())}` : text
  return `${style.accent(id)} ${painted}`
}

const sectionIndent = 2

function renderLinks({ links = [] }: IssueDetail, view: RenderView): string {
  const lines = links.map(({ url, note }) => {
    return note ? `${escapeLine(url)} ${view.style.dim(`(${escapeLine(note)})`)}` : escapeLine(url)
  })
  return section('Links', lines, view)
}

function renderAttachments({ attachments = [] }: IssueDetail, view: RenderView): string {
  const lines = attachments.map(({ name, mime, sha256 }) => {
    return `${escapeLine(name)} ${view.style.dim(`(${escapeLine(mime)}, sha256 ${escapeLine(sha256.slice(0, 12))})`)}`
  })
  return section('Attachments', lines, view)
}

/** Lists bad signatures of events that are not shown above; comments have their own mark. */
function renderSignatures(events: readonly ShownEvent[], view: RenderView): string {
  const lines = events.flatMap(({ actor, actor_label, ts_unix_ms, kind, signature }) => {
    const fault = signatureFaults[signature ?? '']
    const [name = 'Event'] = Object.keys(kind)
    if (fault === undefined || name === 'CommentAdded') return []
    const author = escapeLine(actor_label ?? shorten(actor))
    return [`${view.style.bad(fault)}: ${escapeLine(name)} by ${author}, ${formatWhen(ts_unix_ms, view)}`]
  })
  return section('Signatures', lines, view)
}
