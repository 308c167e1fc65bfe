/** Options that several issue commands share, and how their text becomes values. */
import {
  type FieldKey,
  fieldRules,
  formatScopedLabel,
  InvalidArgsError,
  isFieldKey,
  isFieldValue,
  limits,
  makeVisible,
  parseScopedLabel,
  shellWord,
} from '../../model/index.ts'
import type { Draft } from '../../tracker/draft.ts'
import type { CommandContext } from '../../tracker/effects.ts'
import { resolveIssue } from '../../tracker/issues/resolve-issue.ts'
import { readInputText } from '../../tracker/local/read-input-file.ts'
import type { OptionTable } from '../define-command.ts'

export const fieldOptions = {
  priority: {
    type: 'text',
    valueName: 'P0…P4',
    summary: 'Priority, P0 the highest',
    short: 'p',
    completes: 'priority',
  },
  type: {
    type: 'text',
    valueName: 'word',
    summary: 'Kind of issue: bug, task, feature, …',
    short: 't',
    completes: 'type',
  },
  due: { type: 'text', valueName: 'YYYY-MM-DD', summary: 'Date by which it should be done' },
  parent: { type: 'text', valueName: 'issue', summary: 'Issue that this one is a part of', completes: 'issue' },
  milestone: { type: 'text', valueName: 'name', summary: 'Milestone it belongs to', completes: 'milestone' },
  set: {
    type: 'text',
    valueName: 'key=value',
    summary: 'Set any field; an empty value clears it',
    repeatable: true,
    completes: 'field',
  },
} as const satisfies OptionTable

export const bodyOptions = {
  body: { type: 'text', valueName: 'text', summary: 'Text, Markdown as you like', short: 'b' },
  'body-file': {
    type: 'text',
    valueName: 'file|-',
    summary: 'Take the text from a file, or from standard input',
    completes: 'file',
    short: 'F',
  },
} as const satisfies OptionTable

export interface FieldInput {
  readonly priority: string | undefined
  readonly type: string | undefined
  readonly due: string | undefined
  readonly parent: string | undefined
  readonly milestone: string | undefined
  readonly set: readonly string[]
}

/** A field to set, or to clear when the value is empty. */
export interface FieldChange {
  readonly key: FieldKey
  readonly value: string
  /** How it was given, for a message. */
  readonly by?: string
}

/** The fields an input names, checked as far as that goes without a repository. @throws {InvalidArgsError} */
export function readFieldChanges(input: FieldInput): FieldChange[] {
  const named = (['priority', 'type', 'due', 'parent', 'milestone'] as const).flatMap((key) =>
    input[key] === undefined ? [] : [{ key, value: input[key], by: key }],
  )
  const changes = [...named, ...input.set.map(parseAssignment)].map(normalize)
  requireOneValueEach(changes)
  return changes
}

/**
 * One of two values would win, and the other be gone.
 * @throws {InvalidArgsError} naming both values of a field, and how they were given
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
  return new InvalidArgsError(`${first.key} is given twice: ${say(first)} and ${say(second)}; a field has one value`, {
    details: { field: first.key, values: [first.value, second.value] },
  })
}

function parseAssignment(text: string): FieldChange {
  const equals = text.indexOf('=')
  const key = equals < 0 ? text : text.slice(0, equals)
  const allowed = Object.keys(fieldRules)
  if (equals < 1 || !isFieldKey(key)) {
    throw new InvalidArgsError(`--set must be key=value with a key of ${allowed.join(', ')}, got '${text}'`, {
      details: { field: 'set', value: text, allowed },
    })
  }
  return { key, value: text.slice(equals + 1), by: `set ${text}` }
}

/** `p1` and `1` mean P1. */
function normalize({ key, value, by }: FieldChange): FieldChange {
  const priority = key === 'priority' ? /^[pP]?([0-4])$/.exec(value) : null
  const how = by === undefined ? {} : { by }
  return { key, value: priority === null ? value : `P${priority[1]}`, ...how }
}

/**
 * Turns a parent given by prefix into its full id, then checks every value. A parent may be an issue that the same
 * draft creates.
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

/** @throws {InvalidArgsError} naming the field, the value and what is allowed */
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

/** A field as a label gives it: a label has a value, and clears nothing. @throws {InvalidArgsError} on an empty one */
export function requireLabelValue(change: FieldChange): FieldChange {
  const { key, value } = normalize(change)
  if (value !== '') return { key, value, by: `label ${formatScopedLabel(key, value)}` }
  const allowed = fieldRules[key].words
  throw new InvalidArgsError(`${key} must be ${allowed}, got '' in the label '${key}:'`, {
    details: { field: key, value, allowed },
    hints: [`Clear the field with \`grite issue update <issue> --set ${shellWord(`${key}=`)}\``],
  })
}

export function scopedLabelOf({ key, value }: FieldChange): string {
  return formatScopedLabel(key, value)
}

/**
 * The body an input asks for: `--body`, `--body-file` (a file, or `-` for standard input); undefined when neither is
 * given.
 * @throws {InvalidArgsError} when both are given, and when the text is too long or not UTF-8
 * @throws {NotFoundError} when the file cannot be read
 */
export async function readBody(
  context: CommandContext,
  input: { readonly body: string | undefined; readonly bodyFile: string | undefined },
): Promise<string | undefined> {
  if (input.bodyFile === undefined) return input.body
  if (input.body !== undefined) {
    throw new InvalidArgsError('--body and --body-file exclude each other', { details: { field: 'body-file' } })
  }
  const bytesMax = limits.bodyBytesMax
  if (input.bodyFile === '-') return context.text.readStdin(bytesMax)
  return readInputText(context, { field: 'body-file', file: input.bodyFile, bytesMax })
}
