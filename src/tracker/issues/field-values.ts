/** Field values: normalization, validation, and labels that set fields. */
import {
  dayWords,
  type FieldKey,
  fieldRules,
  formatScopedLabel,
  InvalidArgsError,
  isDayField,
  isFieldValue,
  issueStates,
  makeVisible,
  parseDayWord,
  parseScopedLabel,
  requireLabel,
  shellWord,
} from '../../model/index.ts'
import type { Draft } from '../draft.ts'
import { resolveIssue } from './resolve-issue.ts'

/** A field to set, or to clear when the value is empty. */
export interface FieldChange {
  readonly key: FieldKey
  readonly value: string
  /** The option that set it, for a message. */
  readonly by?: string
}

/**
 * Refuses two values for one field, since one would silently be lost.
 * @throws {InvalidArgsError} naming both values of a field and their options
 */
export function requireOneValueEach(changes: readonly FieldChange[]): void {
  const seen = new Map<FieldKey, FieldChange>()
  for (const change of changes) {
    const first = seen.get(change.key)
    if (first === undefined) seen.set(change.key, change)
    else if (first.value !== change.value) throw twoValues(first, change)
  }
}

function twoValues(first: FieldChange, second: FieldChange): InvalidArgsError {
  const say = ({ value, by }: FieldChange) =>
    `'${makeVisible(value)}'${by === undefined ? '' : ` (${makeVisible(by)})`}`
  return new InvalidArgsError(
    `${first.key} is given twice: ${say(first)} and ${say(second)}; a field can have only one value`,
    {
      details: { field: first.key, values: [first.value, second.value] },
    },
  )
}

/**
 * Turns a day word such as `friday` into its date.
 *
 * @param today - see `localDay`
 * @throws {InvalidArgsError} naming the field, the value and the allowed values
 */
export function settleDay(change: FieldChange, today: number): FieldChange {
  const { key, value } = change
  if (!isDayField(key) || value === '') return change
  const day = parseDayWord(value, today)
  if (day !== undefined) return { ...change, value: day }
  throw new InvalidArgsError(`${key} must be ${dayWords}, got '${value}'`, {
    details: { field: key, value, allowed: dayWords },
  })
}

/**
 * Refuses a status that looks like the state: an issue with it would look closed, but be open.
 * @param hint - how to clear the status, or to say the state
 * @throws {InvalidArgsError} saying how to close or reopen an issue
 */
export function requireNoState(status: string | undefined, hint = "Clear the status with `--status ''`"): void {
  const state = issueStates.find((word) => word === status?.toLowerCase())
  if (state === undefined) return
  const how = state === 'closed' ? '`grite close <issue>` closes it' : '`grite reopen <issue>` reopens it'
  throw new InvalidArgsError(`status '${status}' would not change the state of the issue; ${how}`, {
    details: { field: 'status', value: status },
    hints: [hint],
  })
}

/** `p1` and `1` mean P1. */
export function normalizeField({ key, value, by }: FieldChange): FieldChange {
  const priority = key === 'priority' ? /^[pP]?([0-4])$/.exec(value) : null
  const how = by === undefined ? {} : { by }
  return { key, value: priority === null ? value : `P${priority[1]}`, ...how }
}

/**
 * Expands the prefix of a parent to the full id, then validates every value. The parent may be an issue created by the
 * same draft.
 * @throws {InvalidArgsError}
 */
export async function settleFieldChanges(changes: readonly FieldChange[], draft: Draft): Promise<FieldChange[]> {
  const settled: FieldChange[] = []
  for (const change of changes) {
    const isParent = change.key === 'parent' && change.value !== ''
    const isDrafted = isParent && draft.creates(change.value)
    const value = isParent && !isDrafted ? await resolveIssue(await draft.view(), change.value) : change.value
    requireFieldValue(change.key, value)
    settled.push({ ...change, value })
  }
  requireOneValueEach(settled)
  return settled
}

/** @throws {InvalidArgsError} naming the field, the value and the allowed values */
export function requireFieldValue(key: FieldKey, value: string): void {
  if (value === '' || isFieldValue(key, value)) return
  throw new InvalidArgsError(`${key} must be ${fieldRules[key].words}, got '${value}'`, {
    details: { field: key, value, allowed: fieldRules[key].words },
  })
}

/** Splits labels into plain ones and fields, so that `--label priority:P1` sets the field. */
export function splitLabels(labels: readonly string[]): { readonly plain: string[]; readonly fields: FieldChange[] } {
  const plain: string[] = []
  const fields: FieldChange[] = []
  for (const label of labels) {
    const scoped = parseScopedLabel(label)
    if (scoped === undefined) plain.push(label)
    else fields.push(requireLabelValue(scoped))
  }
  return { plain, fields }
}

/** Checks a field set by a label, which must have a value: a label cannot clear a field. @throws {InvalidArgsError} */
export function requireLabelValue(change: FieldChange): FieldChange {
  const { key, value } = normalizeField(change)
  if (value !== '') return { key, value, by: `label ${formatScopedLabel(key, value)}` }
  const allowed = fieldRules[key].words
  throw new InvalidArgsError(`${key} must be ${allowed}, got '' in the label '${key}:'`, {
    details: { field: key, value, allowed },
    hints: [`Clear the field with \`grite issue update <issue> --set ${shellWord(`${key}=`)}\``],
  })
}

/**
 * Validates the labels that an update adds and removes, together with the fields that it sets.
 * @throws {InvalidArgsError} on an invalid label, two values of one field, or a label that is both added and removed
 */
export function requireLabelChanges(
  { add, remove }: { readonly add: readonly string[]; readonly remove: readonly string[] },
  fields: readonly FieldChange[],
): void {
  add.forEach(requireLabel)
  requireOneValueEach([...splitLabels(add).fields, ...fields])
  const added = new Set([...add, ...fields.map(scopedLabelOf)])
  const both = remove.find((label) => added.has(label))
  if (both === undefined) return
  throw new InvalidArgsError(`label '${makeVisible(both)}' is both added and removed`, {
    details: { field: 'remove-label', value: both },
  })
}

export function scopedLabelOf({ key, value }: FieldChange): string {
  return formatScopedLabel(key, value)
}
