/** What an agent needs to start on an issue, bounded, so that it need not ask for more. */
import {
  currentBody,
  type Event,
  type IssueId,
  type IssueStateWord,
  isImportedFields,
  parentOf,
} from '../../model/index.ts'
import { rowOf, type View } from '../../view/index.ts'
import { actorNames } from '../identity/actor-names.ts'
import { readMemories } from '../memories/memories.ts'
import type { Workspace } from '../workspace.ts'
import { readCommentOverlays } from './comment-overlays.ts'
import { describeEdges, describeIssues, type MentionedIssue } from './describe-issues.ts'

/** Characters of the shown body. */
const bodyLengthMax = 4000
const commentsMax = 3
const memoriesMax = 3
/** Characters of a shown comment or memory. */
const commentLengthMax = 800
/** Mentioned issues of each kind. */
const mentionsMax = 10

export interface BriefMention {
  readonly short_id: string
  readonly title: string
  /** Null if the issue is unknown in this clone. */
  readonly state: IssueStateWord | null
}

export interface IssueBrief {
  readonly labels: readonly string[]
  /** The beginning of the text. */
  readonly body: string
  readonly parent: BriefMention | null
  /** Issues that come first. */
  readonly depends_on: readonly BriefMention[]
  /** Issues that come later. */
  readonly needed_by: readonly BriefMention[]
  readonly related_to: readonly BriefMention[]
  /** The last ones, oldest first. */
  readonly comments: readonly { readonly by: string; readonly ts_unix_ms: number; readonly body: string }[]
  /** Memories about this issue, the newest. */
  readonly memories: readonly { readonly key: string; readonly text: string }[]
  /** What is not shown: characters of all these texts, older comments and memories, mentioned issues. */
  readonly left_out: Readonly<Record<'characters' | 'comments' | 'issues' | 'memories', number>>
}

/** Null if the issue is unknown in this clone. */
export async function briefIssue(repository: Workspace, issueId: IssueId): Promise<IssueBrief | null> {
  const view = await repository.view()
  const state = await view.findIssue(issueId)
  if (state === undefined) return null
  const row = rowOf(state)
  const left = { characters: 0, comments: 0, issues: 0, memories: 0 }
  const cut = (text: string, lengthMax: number): string => {
    const whole = text.trimEnd()
    if (whole.length <= lengthMax) return whole
    const end = /[\ud800-\udbff]$/.test(whole.slice(0, lengthMax)) ? lengthMax - 1 : lengthMax
    left.characters += whole.length - end
    return whole.slice(0, end)
  }
  const mention = (issues: readonly MentionedIssue[]): BriefMention[] => {
    const unique = [...new Map(issues.map((issue) => [issue.issue_id, issue])).values()]
    left.issues += Math.max(0, unique.length - mentionsMax)
    return unique.slice(0, mentionsMax).map(({ short_id, title, state }) => ({ short_id, title, state }))
  }
  const parent = parentOf(row.fields)
  const own = await describeEdges(view, await view.dependenciesOf(issueId))
  const others = await describeEdges(view, await view.dependentsOf(issueId))
  const edges = (ofOwn: string, ofOthers: string) =>
    mention([
      ...own.filter(({ dep_type }) => dep_type === ofOwn),
      ...others.filter(({ dep_type }) => dep_type === ofOthers),
    ])
  const comments = await shownComments(view, issueId)
  const last = comments.slice(-commentsMax)
  left.comments = comments.length - last.length
  const memories = (await readMemories(view)).memories.filter(({ about }) => about === issueId)
  left.memories = Math.max(0, memories.length - memoriesMax)
  const names = await actorNames(
    repository,
    view,
    last.map(({ actor }) => actor),
  )
  return {
    labels: row.labels,
    body: cut(currentBody(state), bodyLengthMax),
    parent: (parent === null ? undefined : mention(await describeIssues(view, [parent]))[0]) ?? null,
    depends_on: edges('depends_on', 'blocks'),
    needed_by: edges('blocks', 'depends_on'),
    related_to: edges('related_to', 'related_to'),
    comments: last.map(({ actor, tsUnixMs, body }) => ({
      by: names.get(actor) ?? actor.slice(0, 8),
      ts_unix_ms: tsUnixMs,
      body: cut(body, commentLengthMax),
    })),
    memories: memories.slice(0, memoriesMax).map(({ key, text }) => ({ key, text: cut(text, commentLengthMax) })),
    left_out: left,
  }
}

/** Comments of people, as they are shown now. */
async function shownComments(
  view: View,
  issueId: IssueId,
): Promise<(Pick<Event, 'actor' | 'tsUnixMs'> & { readonly body: string })[]> {
  const events = (await view.eventsOf(issueId)).filter((event) => !isImportedFields(event))
  const comments = events.flatMap(({ body, eventId, actor, tsUnixMs }) =>
    body.type === 'CommentAdded' ? [{ eventId, actor, tsUnixMs, body: body.body }] : [],
  )
  const overlays = await readCommentOverlays(
    view,
    comments.map(({ eventId }) => eventId),
  )
  return comments.flatMap((comment) => {
    const overlay = overlays.get(comment.eventId)?.overlay
    if (overlay === undefined) return [comment]
    return overlay.kind === 'hidden' ? [] : [{ ...comment, body: overlay.body }]
  })
}
