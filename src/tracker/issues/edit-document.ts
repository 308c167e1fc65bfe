/** An issue as a document to edit, and the changes that an edited document asks for. */
import {
  currentBody,
  currentState,
  currentTitle,
  type DocumentKey,
  fieldsOf,
  formatIssueDocument,
  InvalidArgsError,
  type IssueState,
  type IssueStateWord,
  issueStates,
  type ParsedDocument,
  parentOf,
  parseIssueDocument,
  parseScopedLabel,
  presentAssignees,
  presentLabels,
  requireTitle,
  validateBody,
} from '../../model/index.ts'
import { shortIdLength, type View } from '../../view/index.ts'
import { atLine } from './at-line.ts'
import type { IssueUpdate } from './changes.ts'
import {
  type FieldChange,
  normalizeField,
  requireFieldValue,
  requireLabelChanges,
  requireNoState,
  settleDay,
} from './field-values.ts'

const fieldKeys = ['priority', 'type', 'status', 'due', 'defer', 'milestone', 'parent'] as const

export async function formatForEditor(view: View, state: IssueState): Promise<string> {
  const { issueId } = state
  const fields = fieldsOf(state)
  const parent = parentOf(fields)
  const shortIds = await view.shortIds(parent === null ? [issueId] : [issueId, parent], shortIdLength)
  const named = { ...fields, ...(parent === null ? {} : { parent: shortIds.get(parent) ?? parent }) }
  const values = {
    state: [currentState(state)],
    labels: presentLabels(state).filter((label) => parseScopedLabel(label) === undefined),
    assignees: presentAssignees(state),
    ...Object.fromEntries(fieldKeys.map((key) => [key, named[key] === undefined ? [] : [named[key]]])),
  }
  return formatIssueDocument({ title: currentTitle(state), body: currentBody(state), values }, [
    `Issue ${shortIds.get(issueId) ?? issueId}: fields here; below them the title, an empty line and the text.`,
    'Commas separate labels and assignees; put a name with a comma in "quotes".',
    'An empty value clears a field. Days: 2026-12-01, today, friday, 7d, 2w, 1mo.',
    'Lines with # are ignored in this block. Empty the file to change nothing.',
  ])
}

/** What an edited document changes. */
export interface DocumentEdit {
  readonly update: Pick<IssueUpdate, 'title' | 'body' | 'fields'> & {
    readonly labels: NonNullable<IssueUpdate['labels']>
  }
  /** Users as written. */
  readonly assign: readonly string[]
  readonly unassign: readonly string[]
  readonly state: IssueStateWord | undefined
  readonly lineOf: ParsedDocument['lineOf']
}

/**
 * Compares an edited document with the one given to the editor. Only differences count, so that changes that others made
 * meanwhile stay, and so do parts that the document cannot show exactly.
 *
 * @param today - see `localDay`
 * @throws {InvalidArgsError} naming the line
 */
export function readEditedDocument(given: string, edited: string, today: number): DocumentEdit {
  const before = parseIssueDocument(given)
  const after = parseIssueDocument(edited)
  const { lineOf } = after
  const inLine = <Result>(key: DocumentKey | 'title', read: () => Result): Result => {
    try {
      return read()
    } catch (error) {
      throw atLine(lineOf[key] ?? 1, error)
    }
  }
  const labels = differences(before, after, 'labels')
  const assignees = differences(before, after, 'assignees')
  const fields = fieldKeys.flatMap((key) => {
    const value = changedValue(before, after, key)
    return value === undefined ? [] : [inLine(key, () => readField({ key, value }, today))]
  })
  const title = after.title === before.title ? undefined : after.title
  if (title !== undefined) inLine('title', () => requireTitle(title))
  inLine('labels', () => requireLabelChanges(labels, fields))
  inLine('assignees', () => {
    for (const user of assignees.add) validateBody({ type: 'AssigneeAdded', user })
  })
  return {
    update: { title, body: after.body === before.body ? undefined : after.body, fields, labels },
    assign: assignees.add,
    unassign: assignees.remove,
    state: inLine('state', () => readState(changedValue(before, after, 'state'))),
    lineOf,
  }
}

/** A parent is resolved later, because that needs the repository. */
function readField(change: FieldChange, today: number): FieldChange {
  const field = settleDay(normalizeField(change), today)
  if (field.key === 'status') requireNoState(field.value, 'Change the line `state:` instead')
  if (field.key !== 'parent') requireFieldValue(field.key, field.value)
  if (field.value !== '') validateBody({ type: 'LabelAdded', label: `${field.key}:${field.value}` })
  return field
}

function readState(text: string | undefined): IssueStateWord | undefined {
  if (text === undefined) return undefined
  const state = issueStates.find((word) => word === text.toLowerCase())
  if (state !== undefined) return state
  throw new InvalidArgsError(`state must be ${issueStates.join(' or ')}, got '${text}'`, {
    details: { field: 'state', value: text, allowed: issueStates },
  })
}

/** The new value of a key, empty when it is cleared; undefined when it is unchanged or its line was deleted. */
function changedValue(before: ParsedDocument, after: ParsedDocument, key: DocumentKey): string | undefined {
  const [old = ''] = before.values[key] ?? []
  const [value = ''] = after.values[key] ?? [old]
  return value === old ? undefined : value
}

/** A deleted line changes nothing; an empty one removes everything. */
function differences(before: ParsedDocument, after: ParsedDocument, key: 'labels' | 'assignees') {
  const old = before.values[key] ?? []
  const words = after.values[key] ?? old
  return {
    add: [...new Set(words)].filter((word) => !old.includes(word)),
    remove: old.filter((word) => !words.includes(word)),
  }
}
