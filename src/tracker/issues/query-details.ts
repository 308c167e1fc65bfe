/** What a query tests besides the rows of issues: texts, the time of closing, and comments. */
import {
  type CommentDetail,
  type CommentFacts,
  commentOverlayPrefix,
  currentBody,
  currentClosedTs,
  type IssueId,
  type IssueState,
  isImportedText,
  type QueryDetail,
  type QueryTest,
  textsIn,
} from '../../model/index.ts'
import type { IssueRow, View } from '../../view/index.ts'
import { readCommentOverlays } from './comment-overlays.ts'

/**
 * Ids of the issues that pass. Comments are read only of issues whose text leaves the result open. Keeps no texts in
 * memory, only which of the wanted ones were found.
 */
export async function readDetails(
  view: View,
  rows: readonly IssueRow[],
  { test, wanted, needsClosedTs }: DetailedQuery,
): Promise<ReadonlySet<IssueId>> {
  const byId = new Map(rows.map((row) => [row.issue_id, row]))
  const passed = new Set<IssueId>()
  const open = new Map<IssueId, QueryDetail>()
  const judge = (id: IssueId, detail: QueryDetail): void => {
    const row = byId.get(id)
    const result = row === undefined ? false : test(row, detail)
    if (result === true) passed.add(id)
    if (result === undefined) open.set(id, detail)
  }
  if (view.isMost(rows.length)) {
    for await (const text of view.allStateTexts()) {
      const isNeeded = needsClosedTs || wanted.some((each) => text.mayHold(each))
      judge(text.issueId, isNeeded ? detailOf(text.parse(), wanted) : nothingFound)
    }
  } else {
    const ids = [...byId.keys()]
    for (let start = 0; start < ids.length; start += textsAtOnce) {
      const states = await view.findStates(ids.slice(start, start + textsAtOnce))
      for (const state of states.values()) judge(state.issueId, detailOf(state, wanted))
    }
  }
  if (open.size === 0) return passed
  const comments = await readComments(view, new Set(open.keys()), wanted)
  for (const [id, detail] of open) judge(id, { ...detail, comments: comments.get(id) ?? noComments })
  return passed
}

/** A query whose result depends on more than the rows. */
export interface DetailedQuery {
  readonly test: QueryTest
  readonly wanted: readonly string[]
  readonly needsClosedTs: boolean
}

/** Texts in memory at the same time. */
const textsAtOnce = 256

const nothingFound: QueryDetail = { inBody: new Set(), closedTs: null }

function detailOf(state: IssueState, wanted: readonly string[]): QueryDetail {
  return { inBody: new Set(textsIn(currentBody(state), wanted)), closedTs: currentClosedTs(state) }
}

const noComments: CommentDetail = { texts: new Set(), lastTs: null }

/** Comments as they are shown: edited ones with their present text, hidden ones not at all. */
async function readComments(
  view: View,
  ids: ReadonlySet<IssueId>,
  wanted: readonly string[],
): Promise<Map<IssueId, CommentDetail>> {
  const hasOverlays = (await view.projectContexts(commentOverlayPrefix, 1)).length > 0
  const details = new Map<IssueId, { readonly texts: Set<string>; lastTs: number }>()
  const take = async (comments: readonly CommentFacts[]): Promise<void> => {
    const overlays = hasOverlays
      ? await readCommentOverlays(
          view,
          comments.map(({ eventId }) => eventId),
        )
      : undefined
    for (const { issueId, eventId, tsUnixMs, body } of comments) {
      const overlay = overlays?.get(eventId)?.overlay
      if (overlay?.kind === 'hidden') continue
      const detail = details.get(issueId) ?? { texts: new Set(), lastTs: tsUnixMs }
      for (const each of textsIn(overlay?.body ?? body, wanted)) detail.texts.add(each)
      detail.lastTs = Math.max(detail.lastTs, tsUnixMs)
      details.set(issueId, detail)
    }
  }
  let batch: CommentFacts[] = []
  for await (const comment of view.commentsOf(ids)) {
    if (isImportedText(comment.actor, comment.body)) continue
    batch.push(comment)
    if (batch.length < textsAtOnce) continue
    await take(batch)
    batch = []
  }
  await take(batch)
  return details
}
