/** Changes of issues as plans on a draft, shared by the commands and `batch`. */

import {
  currentBody,
  currentState,
  currentTitle,
  type EventId,
  type FieldKey,
  fieldsOf,
  InvalidArgsError,
  type IssueId,
  type IssueStateWord,
  isPresent,
  labelVersions,
  makeVisible,
  parentOf,
  parseScopedLabel,
  planClearField,
  planSetField,
  presentAssignees,
  requireLinkUrl,
  type Sha256Hex,
} from '../../model/index.ts'
import type { Draft } from '../draft.ts'
import type { AssigneeChange } from './assignee-words.ts'
import {
  type FieldChange,
  requireFieldValue,
  requireLabelValue,
  scopedLabelOf,
  settleFieldChanges,
  splitLabels,
} from './field-values.ts'

export interface NewIssue {
  readonly title: string
  readonly body: string
  readonly labels: readonly string[]
  readonly assignees: readonly string[]
  readonly fields: readonly FieldChange[]
}

/** Drafts a new issue: labels and fields in the creation event, assignees after it. */
export async function createIssue(
  draft: Draft,
  issue: NewIssue,
): Promise<{ readonly issueId: IssueId; readonly eventId: EventId }> {
  requireOneLine(issue.title)
  const { plain, fields } = splitLabels(issue.labels)
  const settled = await settleFieldChanges([...fields, ...issue.fields], draft)
  const labels = [...new Set([...plain, ...settled.filter(({ value }) => value !== '').map(scopedLabelOf)])]
  const { issueId, eventId } = draft.createIssue({ title: issue.title, body: issue.body, labels })
  for (const user of new Set(issue.assignees)) await draft.add(issueId, { type: 'AssigneeAdded', user })
  return { issueId, eventId }
}

/** Titles are shown in lists. @throws {InvalidArgsError} on a title with a line break */
function requireOneLine(title: string): void {
  const place = title.search(/[\n\v\f\r\u0085\u2028\u2029]/)
  if (place < 0) return
  throw new InvalidArgsError(
    `title must be one line; it has a line break after '${makeVisible(title.slice(0, place)).slice(-shownTitleMax)}'`,
    { details: { field: 'title', value: title }, hints: ['Put the rest into the text with --body'] },
  )
}

/** Maximum length of a title in a message. */
const shownTitleMax = 40

export interface IssueUpdate {
  readonly title: string | undefined
  readonly body: string | undefined
  readonly fields: readonly FieldChange[]
  readonly labels?: { readonly add: readonly string[]; readonly remove: readonly string[] }
  readonly assignees?: AssigneeChange
}

/** Drafts the differences from the present state of the issue. Returns the ids of the events, if any. */
export async function updateIssue(draft: Draft, issueId: IssueId, update: IssueUpdate): Promise<EventId[]> {
  const state = await draft.requireIssue(issueId)
  const title = update.title === undefined || update.title === currentTitle(state) ? null : update.title
  const body = update.body === undefined || update.body === currentBody(state) ? null : update.body
  if (title !== null) requireOneLine(title)
  const eventIds: EventId[] = []
  if (title !== null || body !== null) {
    eventIds.push((await draft.add(issueId, { type: 'IssueUpdated', title, body })).eventId)
  }
  const fields = await settleFieldChanges(update.fields, draft)
  for (const { key, value } of fields) eventIds.push(...(await setField(draft, issueId, key, value)))
  const { labels = { add: [], remove: [] }, assignees = { add: [], remove: [] } } = update
  for (const label of labels.remove) eventIds.push(...(await removeLabel(draft, issueId, label)))
  for (const label of labels.add) eventIds.push(...(await addLabel(draft, issueId, label)))
  eventIds.push(...(await changeAssignees(draft, issueId, assignees)))
  return eventIds
}

async function changeAssignees(draft: Draft, issueId: IssueId, { add, remove }: AssigneeChange): Promise<EventId[]> {
  const present = presentAssignees(await draft.requireIssue(issueId))
  const gone = remove === 'all' ? present.filter((user) => !add.includes(user)) : remove
  const eventIds: EventId[] = []
  for (const user of gone) eventIds.push(...(await removeAssignee(draft, issueId, user)))
  for (const user of add) eventIds.push(...(await addAssignee(draft, issueId, user)))
  return eventIds
}

/** Sets a field, or clears it when the value is empty. */
async function setField(draft: Draft, issueId: IssueId, key: FieldKey, value: string): Promise<EventId[]> {
  requireFieldValue(key, value)
  return replaceField(draft, issueId, key, value === '' ? null : value)
}

/** Like `setField` for a restored value, so any text is accepted; null clears the field. */
export async function replaceField(
  draft: Draft,
  issueId: IssueId,
  key: FieldKey,
  value: string | null,
): Promise<EventId[]> {
  const parent = key === 'parent' && value !== null ? parentOf({ parent: value }) : null
  if (parent !== null) await requireNoParentCycle(draft, issueId, parent)
  const state = await draft.requireIssue(issueId)
  const changes = value === null ? planClearField(state, key) : planSetField(state, key, value)
  const eventIds: EventId[] = []
  for (const { change, label } of changes) {
    const type = change === 'add' ? 'LabelAdded' : 'LabelRemoved'
    eventIds.push((await draft.add(issueId, { type, label })).eventId)
  }
  return eventIds
}

/** @throws {InvalidArgsError} when an issue would become a part of itself, directly or through other parents */
async function requireNoParentCycle(draft: Draft, issueId: IssueId, parent: IssueId): Promise<void> {
  const seen = new Set<IssueId>()
  for (let next: IssueId | null = parent; next !== null && !seen.has(next); ) {
    if (next === issueId) {
      const how = parent === issueId ? 'itself' : `${parent}, which is a part of it`
      throw new InvalidArgsError(`parent of issue ${issueId} cannot be ${how}`, {
        details: { field: 'parent', value: parent },
      })
    }
    seen.add(next)
    const state = await draft.findIssue(next)
    next = state === undefined ? null : parentOf(fieldsOf(state))
  }
}

/** Adds a label; a label with a known key sets that field. */
export async function addLabel(draft: Draft, issueId: IssueId, label: string): Promise<EventId[]> {
  const scoped = parseScopedLabel(label)
  if (scoped !== undefined) {
    const [settled] = await settleFieldChanges([requireLabelValue(scoped)], draft)
    return setField(draft, issueId, scoped.key, settled?.value ?? scoped.value)
  }
  const state = await draft.requireIssue(issueId)
  if (isPresent(labelVersions(state, label))) return []
  return [(await draft.add(issueId, { type: 'LabelAdded', label })).eventId]
}

/** Removes a label; if it is the present value of a field, clears the field. */
export async function removeLabel(draft: Draft, issueId: IssueId, label: string): Promise<EventId[]> {
  const state = await draft.requireIssue(issueId)
  if (!isPresent(labelVersions(state, label))) return []
  const scoped = parseScopedLabel(label)
  if (scoped !== undefined) return setField(draft, issueId, scoped.key, '')
  return [(await draft.add(issueId, { type: 'LabelRemoved', label })).eventId]
}

export async function addAssignee(draft: Draft, issueId: IssueId, user: string): Promise<EventId[]> {
  if (presentAssignees(await draft.requireIssue(issueId)).includes(user)) return []
  return [(await draft.add(issueId, { type: 'AssigneeAdded', user })).eventId]
}

export async function removeAssignee(draft: Draft, issueId: IssueId, user: string): Promise<EventId[]> {
  if (!presentAssignees(await draft.requireIssue(issueId)).includes(user)) return []
  return [(await draft.add(issueId, { type: 'AssigneeRemoved', user })).eventId]
}

export async function changeState(draft: Draft, issueId: IssueId, state: IssueStateWord): Promise<EventId[]> {
  if (currentState(await draft.requireIssue(issueId)) === state) return []
  return [(await draft.add(issueId, { type: 'StateChanged', state })).eventId]
}

/** @param parent - the comment of the same issue that it replies to */
export async function addComment(
  draft: Draft,
  issueId: IssueId,
  body: string,
  parent: EventId | null,
): Promise<EventId[]> {
  return [(await draft.add(issueId, { type: 'CommentAdded', body }, parent)).eventId]
}

export async function addLink(draft: Draft, issueId: IssueId, url: string, note: string | null): Promise<EventId[]> {
  requireLinkUrl(url)
  return [(await draft.add(issueId, { type: 'LinkAdded', url, note })).eventId]
}

export interface NewAttachment {
  readonly name: string
  readonly sha256: Sha256Hex
  readonly mime: string
  /** Content to store with the event; null to record only the hash. */
  readonly content: Uint8Array | null
}

export async function addAttachment(draft: Draft, issueId: IssueId, attachment: NewAttachment): Promise<EventId[]> {
  const { name, sha256, mime, content } = attachment
  const event = await draft.add(issueId, { type: 'AttachmentAdded', name, sha256, mime })
  if (content !== null) draft.attachments.set(sha256, content)
  return [event.eventId]
}
