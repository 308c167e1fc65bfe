/** Options shared by several issue commands, and the parsing of their values. */
import { fieldRules, InvalidArgsError, isFieldKey, limits } from '../../model/index.ts'
import type { Clock, CommandContext } from '../../tracker/effects.ts'
import {
  type FieldChange,
  normalizeField,
  requireNoState,
  requireOneValueEach,
  settleDay,
} from '../../tracker/issues/field-values.ts'
import { warnOfLiteralNewline } from '../../tracker/issues/literal-newline.ts'
import { readInputText } from '../../tracker/local/read-input-file.ts'
import { localDay } from '../../tracker/parse-time.ts'
import type { OptionTable } from '../define-command.ts'

export const fieldOptions = {
  priority: {
    type: 'text',
    valueName: 'P0…P4',
    summary: 'Priority; P0 is the highest',
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
  status: { type: 'text', valueName: 'word', summary: 'Status: in-progress, review, …', completes: 'status' },
  due: {
    type: 'text',
    valueName: 'day',
    summary: 'Due date: 2026-12-01, friday, tomorrow, 7d, 2w, 1mo, …',
    completes: 'day',
  },
  defer: {
    type: 'text',
    valueName: 'day',
    summary: 'Not to be worked on before this day; takes the words of --due',
    completes: 'day',
  },
  parent: { type: 'text', valueName: 'issue', summary: 'Parent issue', completes: 'issue' },
  milestone: { type: 'text', valueName: 'name', summary: 'Milestone', completes: 'milestone' },
  set: {
    type: 'text',
    valueName: 'key=value',
    summary: 'Set any field; an empty value clears it',
    repeatable: true,
    completes: 'field',
  },
} as const satisfies OptionTable

export const bodyOptions = {
  body: { type: 'text', valueName: 'text', summary: 'Text; Markdown is allowed', short: 'b' },
  'body-file': {
    type: 'text',
    valueName: 'file|-',
    summary: 'Read the text from a file, or from standard input',
    completes: 'file',
    short: 'F',
    cliOnly: true,
  },
} as const satisfies OptionTable

export interface FieldInput {
  readonly priority: string | undefined
  readonly type: string | undefined
  readonly status: string | undefined
  readonly due: string | undefined
  readonly defer: string | undefined
  readonly parent: string | undefined
  readonly milestone: string | undefined
  readonly set: readonly string[]
}

/** Fields with an option of their own. Their order is that of the events of an update. */
const namedFields = ['priority', 'type', 'due', 'parent', 'milestone', 'status', 'defer'] as const

/**
 * Parses the fields of an input and validates them without access to the repository.
 *
 * @param clock - its day and time zone give words such as `tomorrow` their meaning
 * @throws {InvalidArgsError}
 */
export function readFieldChanges(input: FieldInput, clock: Clock): FieldChange[] {
  const today = localDay(clock)
  requireNoState(input.status)
  const named = namedFields.flatMap((key) => (input[key] === undefined ? [] : [{ key, value: input[key], by: key }]))
  const changes = [...named, ...input.set.map(parseAssignment)].map((change) =>
    settleDay(normalizeField(change), today),
  )
  requireOneValueEach(changes)
  return changes
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

/**
 * Reads the body from `--body` or `--body-file` (a file, or `-` for standard input); undefined when neither is given. Warns of
 * `\n` as two characters.
 * @throws {InvalidArgsError} when both are given, or when the text is too long or not UTF-8
 * @throws {NotFoundError} when the file cannot be read
 */
export async function readBody(
  context: CommandContext,
  input: { readonly body: string | undefined; readonly bodyFile: string | undefined },
): Promise<string | undefined> {
  warnOfLiteralNewline(context, { option: 'body', file: 'body-file', text: input.body })
  if (input.bodyFile === undefined) return input.body
  if (input.body !== undefined) {
    throw new InvalidArgsError('--body and --body-file cannot be combined', { details: { field: 'body-file' } })
  }
  const bytesMax = limits.bodyBytesMax
  if (input.bodyFile === '-') return context.text.readStdin(bytesMax)
  return readInputText(context, { field: 'body-file', file: input.bodyFile, bytesMax })
}
