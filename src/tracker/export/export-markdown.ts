/** The export for people: one page of Markdown, in pieces. */
import {
  currentBody,
  demoteMarkdown,
  type Event,
  escapeMarkdownLine,
  formatUtcMinute,
  type IssueId,
  type IssueStateWord,
  parentOf,
  parseScopedLabel,
  quoteLine,
  type ThreadedComment,
  threadComments,
} from '../../model/index.ts'
import { type IssueRow, shortIdLength, type View } from '../../view/index.ts'
import { readShownComments, type ShownComment } from '../issues/comment-overlays.ts'
import { rowWindows } from './export-csv.ts'

export interface PageFacts {
  readonly nowUnixMs: number
  /** Finds the names of actors. */
  readonly namesOf: (actors: readonly string[]) => Promise<ReadonlyMap<string, string>>
}

/** Fewer issues are found by scrolling; a longer table is not read. */
const contentsMin = 5
const contentsMax = 100

/** Levels of headings: the page, its sections, issues, comments. */
const issueLevel = 3
const commentsLevel = 4
/** Quotes in quotes; deeper replies are not indented further. */
const depthMax = 5

const sections = [
  { state: 'open', heading: 'Open' },
  { state: 'closed', heading: 'Closed' },
] as const

interface Listed {
  readonly issueId: IssueId
  readonly title: string
}

/** Open issues come first. Both sections keep the given order. */
export async function* markdownPieces(
  view: View,
  issueIds: readonly IssueId[],
  facts: PageFacts,
): AsyncGenerator<string> {
  const listed = await listByState(view, issueIds)
  const counts = sections.map(({ state }) => `${listed[state].length} ${state}`).join(', ')
  yield `# Issues\n\nExported from grite on ${formatUtcMinute(facts.nowUnixMs)}: ${counts}.\n`
  const shortIds = await view.shortIds(issueIds, shortIdLength)
  const shortIdOf = (id: IssueId) => shortIds.get(id) ?? id
  const hasContents = issueIds.length >= contentsMin && issueIds.length <= contentsMax
  if (hasContents) yield* contentsPieces(listed, shortIdOf)
  for (const { state, heading } of sections) {
    if (listed[state].length === 0) continue
    yield `\n## ${heading}\n`
    const ids = listed[state].map(({ issueId }) => issueId)
    for await (const rows of rowWindows(view, ids)) {
      const shown: ShownIssue[] = []
      for (const row of rows) shown.push(await readIssue(view, row, shortIdOf(row.issue_id)))
      const names = await facts.namesOf(shown.flatMap(actorsOf))
      const mentioned = await describeMentions(view, rows)
      for (const issue of shown) {
        const anchor = hasContents ? [`<a id="${anchorOf(issue.shortId)}"></a>`] : []
        for (const block of [...anchor, ...issueBlocks(issue, { names, mentioned })]) yield `\n${block}\n`
      }
    }
  }
}

async function listByState(view: View, ids: readonly IssueId[]): Promise<Record<IssueStateWord, Listed[]>> {
  const listed: Record<IssueStateWord, Listed[]> = { open: [], closed: [] }
  for await (const rows of rowWindows(view, ids)) {
    for (const { issue_id, title, state } of rows) listed[state].push({ issueId: issue_id, title })
  }
  return listed
}

const anchorOf = (shortId: string): string => `issue-${shortId}`

function* contentsPieces(
  listed: Record<IssueStateWord, readonly Listed[]>,
  shortIdOf: (id: IssueId) => string,
): Generator<string> {
  for (const { state, heading } of sections) {
    if (listed[state].length === 0) continue
    yield `\n${heading}:\n\n`
    for (const { issueId, title } of listed[state]) {
      yield `- [${escapeMarkdownLine(title)}](#${anchorOf(shortIdOf(issueId))})\n`
    }
  }
}

interface ShownIssue {
  readonly row: IssueRow
  readonly shortId: string
  readonly body: string
  readonly closedTs: number | null
  readonly comments: readonly ShownComment[]
  readonly events: readonly Event[]
}

async function readIssue(view: View, row: IssueRow, shortId: string): Promise<ShownIssue> {
  const state = await view.findIssue(row.issue_id)
  const events = await view.eventsOf(row.issue_id)
  return {
    row,
    shortId,
    body: state === undefined ? '' : currentBody(state),
    closedTs: row.state === 'closed' ? (state?.state?.version.tsUnixMs ?? null) : null,
    comments: await readShownComments(view, events),
    events,
  }
}

function actorsOf({ row, comments }: ShownIssue): string[] {
  return [row.author, ...comments.flatMap(({ event, changed }) => [event.actor, changed?.actor ?? event.actor])]
}

/** Titles of parents. */
async function describeMentions(view: View, rows: readonly IssueRow[]): Promise<ReadonlyMap<string, string>> {
  const parents = rows.flatMap(({ fields }) => parentOf(fields) ?? [])
  const titles = new Map<string, string>()
  for (const [id, { title }] of await view.findRows(parents)) titles.set(id, title)
  return titles
}

interface Known {
  readonly names: ReadonlyMap<string, string>
  readonly mentioned: ReadonlyMap<string, string>
}

function issueBlocks(issue: ShownIssue, known: Known): string[] {
  const { row, body, comments, events } = issue
  const text = body.trim() === '' ? [] : [demoteMarkdown(body.trimEnd(), issueLevel).join('\n')]
  const files = listFiles(events)
  const threads = threadComments(
    comments.map((comment) => ({ event_id: comment.event.eventId, parent: comment.event.parent, comment })),
  )
  return [
    `### ${escapeMarkdownLine(row.title)}`,
    factsLine(issue, known),
    ...text,
    ...(files.length === 0 ? [] : [files.join('\n')]),
    ...(comments.length === 0 ? [] : [`#### Comments\n\n${joinThreads(threads.map((each) => [each, known.names]))}`]),
  ]
}

/** `` `3f2a91c` · bug · P1 · due 2026-05-01 · labels ui · assigned to ann · by Bo on 2026-04-05 14:35 UTC `` */
function factsLine({ row, shortId, closedTs }: ShownIssue, { names, mentioned }: Known): string {
  const { fields, labels, assignees, author, created_ts } = row
  const shown = new Set(Object.entries(fields).map(([key, value]) => `${key}:${value}`))
  const plain = labels.filter((label) => !shown.has(label) || parseScopedLabel(label) === undefined)
  const parent = parentOf(fields)
  const facts: readonly (readonly [name: string, value: string | undefined])[] = [
    ['', fields.type],
    ['', fields.priority],
    ['', fields.status],
    ['milestone ', fields.milestone],
    ['due ', fields.due],
    ['part of ', parent === null ? undefined : (mentioned.get(parent) ?? parent.slice(0, shortIdLength))],
    ['labels ', plain.join(', ')],
    ['assigned to ', assignees.join(', ')],
    ['by ', `${names.get(author) ?? author.slice(0, 8)} on ${formatUtcMinute(created_ts)}`],
    ['closed on ', closedTs === null ? undefined : formatUtcMinute(closedTs)],
  ]
  const words = facts.flatMap(([name, value]) => (value ? [`${name}${escapeMarkdownLine(value)}`] : []))
  return [`\`${shortId}\``, ...words].join(' · ')
}

/** Links and attachments, one item each. */
function listFiles(events: readonly Event[]): string[] {
  return events.flatMap(({ body }) => {
    if (body.type === 'AttachmentAdded') return [`- Attachment: ${escapeMarkdownLine(body.name)}`]
    if (body.type !== 'LinkAdded') return []
    const note = body.note ? ` (${escapeMarkdownLine(body.note)})` : ''
    const isPlain = /^[a-z][a-z0-9+.-]*:[^\s<>\\]+$/i.test(body.url)
    return [`- Link: ${isPlain ? `<${body.url}>` : escapeMarkdownLine(body.url)}${note}`]
  })
}

interface CommentNode {
  readonly comment: ShownComment
}

type Entry = readonly [ThreadedComment<CommentNode>, Known['names']]

/** Each comment is a quote, and a reply a quote in the quote. An empty line of fewer levels ends the quote above. */
function joinThreads(entries: readonly Entry[]): string {
  let text = ''
  let above = 0
  for (const [threaded, names] of entries) {
    const level = Math.min(threaded.depth, depthMax) + 1
    if (text !== '') text += `${'> '.repeat(Math.min(above, level - 1)).trimEnd()}\n`
    let lines = commentLines(threaded, names)
    for (let count = 0; count < level; count++) lines = lines.map(quoteLine)
    text += `${lines.join('\n')}\n`
    above = level
  }
  return text.trimEnd()
}

function commentLines({ comment, depth, orphaned }: ThreadedComment<CommentNode>, names: Known['names']): string[] {
  const { event, text, changed } = comment.comment
  const nameOf = (actor: string) => escapeMarkdownLine(names.get(actor) ?? actor.slice(0, 8))
  const answers =
    orphaned || depth > depthMax
      ? `, in reply to ${event.parent?.slice(0, 8)}${orphaned ? ', which is not here' : ''}`
      : ''
  const by = changed === null ? '' : `by ${nameOf(changed.actor)} on ${formatUtcMinute(changed.tsUnixMs)}`
  const edited = by === '' || text === null ? '' : `, edited ${by}`
  const body = text === null ? [`*hidden ${by}*`] : demoteMarkdown(text.trimEnd(), commentsLevel)
  return [`**${nameOf(event.actor)}** on ${formatUtcMinute(event.tsUnixMs)}${answers}${edited}`, '', ...body]
}
