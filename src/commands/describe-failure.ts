/** Converts a thrown value into a reported failure, with the code and the exit status of the error table. */

import { type ErrorDetails, type ErrorKind, errorKinds, GriteError } from '../model/errors/index.ts'
import { describeForeign } from '../model/index.ts'
import { describeWritten, type WrittenEvents } from '../tracker/written-events.ts'
import { boundDetails, boundSuggestion, boundText } from './bound-message.ts'

export interface Failure {
  readonly code: string
  readonly exitStatus: number
  /** Starts with the name of its kind. */
  readonly message: string
  readonly details: ErrorDetails
  readonly suggestions: readonly string[]
  /** Stack trace for GRITE_DEBUG. */
  readonly stack: string | undefined
}

/** System errors caused by the user's disk or permissions, not by a bug in grite. */
const environmentCodes = new Set([
  ...['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM', 'EIO', 'EMFILE', 'ENFILE', 'ENOMEM', 'ESTALE', 'EFBIG', 'ELOOP'],
  ...['EBUSY', 'ENXIO', 'ENODEV'],
])

/** LevelDB's message for a failed file operation (env_posix.cc): the path and the text of strerror(3). */
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

/** Adds the events that the command wrote before it failed, so that the user does not repeat them. */
export function tellWritten(failure: Failure, written: WrittenEvents | undefined): Failure {
  if (written === undefined || written.eventCount === 0) return failure
  const details = { ...describeWritten(written), ...failure.details }
  const ids = written.issueIds.map((id) => id.slice(0, 8)).join(', ')
  const what = details.written === true ? 'The result of this command' : 'A part of the result of this command'
  const events = written.eventCount === 1 ? '1 event' : `${written.eventCount} events`
  const hint = `${what} is already in the log: ${events} of ${ids}`
  return { ...failure, details, suggestions: [hint, ...failure.suggestions] }
}

/** Adds the paths of saved editor texts. */
export function withDrafts(failure: Failure, drafts: readonly string[]): Failure {
  if (drafts.length === 0) return failure
  return {
    ...failure,
    details: { ...failure.details, draft: drafts.at(-1) },
    suggestions: [...drafts.map((path) => `Your text was saved to ${path}`), ...failure.suggestions],
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

/** A short description of a thrown value, normally an error. */
export function describeThrown(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : describeForeign(thrown)
}

/** Drops undefined members, so that `details` is absent when all of them are. */
function plainDetails(details: ErrorDetails): ErrorDetails {
  return Object.fromEntries(Object.entries(details).filter(([, value]) => value !== undefined))
}
