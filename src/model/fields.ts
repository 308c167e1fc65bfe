/**
 * Scoped labels `key:value` of a known key are single-valued fields (docs/format.md#fields). The value is the label
 * with the greatest add among all adds of that key; when that label was removed, the field is empty.
 */
import { compareText } from './compare.ts'
import { compareVersions, type Version } from './event.ts'
import type { IssueId } from './ids.ts'
import { parseDay } from './moment.ts'
import { type IssueState, isPresent, labelVersions, mentionedLabels, presentLabels } from './projection.ts'

/** The allowed values of each known key; an allow-listed setting in the log may add keys. */
export const fieldRules = {
  priority: { pattern: /^P[0-4]$/, words: 'P0, P1, P2, P3 or P4' },
  type: { pattern: /^.+$/s, words: 'a word' },
  status: { pattern: /^.+$/s, words: 'a word' },
  due: { pattern: /^\d{4}-\d{2}-\d{2}$/, words: 'a date YYYY-MM-DD' },
  /** The issue is not to be worked on before this day. */
  defer: { pattern: /^\d{4}-\d{2}-\d{2}$/, words: 'a date YYYY-MM-DD' },
  milestone: { pattern: /^.+$/s, words: 'a name' },
  parent: { pattern: /^[0-9a-f]{32}$/, words: 'a full issue id' },
} as const satisfies Record<string, { pattern: RegExp; words: string }>

export type FieldKey = keyof typeof fieldRules
export const fieldKeys = Object.keys(fieldRules) as FieldKey[]

/** The fields of an issue; an absent key has no value. `parent` is a full issue id. */
export type Fields = { readonly [Key in FieldKey]?: string }

/** Splits a label at its first colon; undefined when it is not scoped or its key is unknown. */
export function parseScopedLabel(label: string): { readonly key: FieldKey; readonly value: string } | undefined {
  const colon = label.indexOf(':')
  if (colon < 1) return undefined
  const key = label.slice(0, colon)
  return isFieldKey(key) ? { key, value: label.slice(colon + 1) } : undefined
}

export function formatScopedLabel(key: FieldKey, value: string): string {
  return `${key}:${value}`
}

export function isFieldKey(text: string): text is FieldKey {
  return Object.hasOwn(fieldRules, text)
}

/** Whether a field holds a day. */
export function isDayField(key: FieldKey): key is 'due' | 'defer' {
  return key === 'due' || key === 'defer'
}

/** Whether a value may be set. A day must also exist in the calendar. */
export function isFieldValue(key: FieldKey, value: string): boolean {
  if (!fieldRules[key].pattern.test(value)) return false
  return !isDayField(key) || parseDay(value) !== undefined
}

/** All fields that have a value, including values that grite would not set (a foreign `priority:high`). */
export function fieldsOf(state: IssueState): Fields {
  const winners = new Map<FieldKey, { label: string; value: string; added: Version }>()
  for (const label of mentionedLabels(state)) {
    const scoped = parseScopedLabel(label)
    if (scoped === undefined) continue
    const { added } = labelVersions(state, label)
    if (added === null) continue
    const winner = winners.get(scoped.key)
    const order = winner === undefined ? 1 : compareVersions(added, winner.added) || compareText(label, winner.label)
    if (order > 0) winners.set(scoped.key, { label, value: scoped.value, added })
  }
  const fields: Partial<Record<FieldKey, string>> = {}
  if (winners.size === 0) return fields
  for (const key of fieldKeys) {
    const winner = winners.get(key)
    if (winner !== undefined && isPresent(labelVersions(state, winner.label))) fields[key] = winner.value
  }
  return fields
}

/** The parent issue; null when there is none or the field does not hold an id. */
export function parentOf(fields: Fields): IssueId | null {
  const { parent } = fields
  return parent !== undefined && fieldRules.parent.pattern.test(parent) ? (parent as IssueId) : null
}

/** Label changes that set a field: remove the other labels of the key, then add the label, present or not. */
export function planSetField(state: IssueState, key: FieldKey, value: string): LabelChange[] {
  const label = formatScopedLabel(key, value)
  const others = presentOfKey(state, key).filter((other) => other !== label)
  if (others.length === 0 && fieldsOf(state)[key] === value) return []
  return [...others.map((other) => ({ change: 'remove', label: other }) as const), { change: 'add', label }]
}

/** Label changes that clear a field: remove every present label of the key. */
export function planClearField(state: IssueState, key: FieldKey): LabelChange[] {
  return presentOfKey(state, key).map((label) => ({ change: 'remove', label }))
}

export interface LabelChange {
  readonly change: 'add' | 'remove'
  readonly label: string
}

function presentOfKey(state: IssueState, key: FieldKey): string[] {
  return presentLabels(state).filter((label) => parseScopedLabel(label)?.key === key)
}
