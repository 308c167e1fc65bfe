/** A failure as it is reported: whatever was thrown, put into the words and the exit status of the error table. */

import { type ErrorDetails, type ErrorKind, errorKinds, GriteError } from '../model/errors/index.ts'
import { describeForeign } from '../model/foreign/describe-foreign.ts'
import { describeWritten, type WrittenEvents } from '../tracker/written-events.ts'
import { boundDetails, boundSuggestion, boundText } from './bound-message.ts'
import { escapeLine, escapeText } from './render/escape-for-terminal.ts'

export interface Failure {
  readonly code: string
  readonly exitStatus: number
  /** Opens with the words of its kind. */
  readonly message: string
  readonly details: ErrorDetails
  readonly suggestions: readonly string[]
  /** Where it came from, for GRITE_DEBUG. */
  readonly stack: string | undefined
}

/** System errors that speak about the user's disk or permissions, not about a defect of grite. */
const environmentCodes = new Set([
  ...['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM', 'EIO', 'EMFILE', 'ENFILE', 'ENOMEM', 'ESTALE', 'EFBIG', 'ELOOP'],
  ...['EBUSY', 'ENXIO', 'ENODEV'],
])

/** What LevelDB says when a file operation below it fails (env_posix.cc): the path and the words of strerror(3). */
const storeFailure = /^IO error: (\/.*?): (.*)$/

export function describeFailure(thrown: unknown): Failure {
  if (thrown instanceof GriteError) {
    return {
      code: thrown.code,
      exitStatus: thrown.exitStatus,
      message: boundText(errorKinds[thrown.kind].prefix + thrown.message),
      details: boundDetails(plainDetails(thrown.details)),
      suggestions: thrown.hints.map(boundSuggestion),
      stack: thrown.stack,
    }
  }
  const error = thrown instanceof Error ? thrown : new Error(describeThrown(thrown))
  const kind = kindOf(error)
  const { code, exit, prefix, hints } = errorKinds[kind]
  const debugHint = ['Run the command again with GRITE_DEBUG=1 to see where it failed']
  return {
    code,
    exitStatus: exit,
    message: boundText(prefix + (error.message === '' ? error.name : error.message.replace(storeFailure, '$1: $2'))),
    details: kind === 'io' ? boundDetails(plainDetails({ path: pathOf(error) })) : {},
    suggestions: kind === 'internal' ? debugHint : hints,
    stack: error.stack,
  }
}

/** Adds what the command had written before it failed, so that nobody runs it again for that. */
export function tellWritten(failure: Failure, written: WrittenEvents | undefined): Failure {
  if (written === undefined || written.eventCount === 0) return failure
  const details = { ...describeWritten(written), ...failure.details }
  const ids = written.issueIds.map((id) => id.slice(0, 8)).join(', ')
  const what = details.written === true ? 'What this command writes' : 'A part of what this command writes'
  const events = written.eventCount === 1 ? '1 event' : `${written.eventCount} events`
  const hint = `${what} is in the log already: ${events} of ${ids}`
  return { ...failure, details, suggestions: [hint, ...failure.suggestions] }
}

/** The same, and where the texts are that somebody has written for the command. */
export function withDrafts(failure: Failure, drafts: readonly string[]): Failure {
  if (drafts.length === 0) return failure
  return {
    ...failure,
    details: { ...failure.details, draft: drafts.at(-1) },
    suggestions: [...drafts.map((path) => `Your text is kept in ${path}`), ...failure.suggestions],
  }
}

function kindOf(error: Error): ErrorKind {
  const { code = '' } = error as NodeJS.ErrnoException
  if (environmentCodes.has(code) || storeFailure.test(error.message)) return 'io'
  return code.startsWith('LEVEL_') ? 'view' : 'internal'
}

function pathOf(error: Error): string | undefined {
  return (error as NodeJS.ErrnoException).path ?? storeFailure.exec(error.message)?.[1]
}

/** Escaped. What a message says in further lines, as the candidates for an id, is set in, so that it passes for no line of ours. */
export function formatFailureForPeople({ message, suggestions }: Failure): string {
  const list = suggestions.map((text) => `  - ${escapeLine(text)}\n`).join('')
  return `error: ${setIn(escapeText(message))}\n${list === '' ? '' : `\nSuggestions:\n${list}`}`
}

/** Where a failure came from, for GRITE_DEBUG. Escaped. */
export function formatStack({ stack = '' }: Failure): string {
  return `${setIn(escapeText(stack))}\n`
}

function setIn(text: string): string {
  return text.replaceAll(/\n(?! {2})/g, '\n  ')
}

/** What was thrown, in a few words; as a rule an error. */
export function describeThrown(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : describeForeign(thrown)
}

/** Drops what JSON would drop, so that a detail that is not there leaves no empty `details`. */
function plainDetails(details: ErrorDetails): ErrorDetails {
  return Object.fromEntries(Object.entries(details).filter(([, value]) => value !== undefined))
}
