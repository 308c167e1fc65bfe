/**
 * Limits the length of messages, which quote paths, names and remote output chosen by others. Every cut is marked, so no
 * program mistakes a part for the whole.
 */

import { shortenText } from '../model/index.ts'
import type { Warning } from '../tracker/effects.ts'

/** Maximum length of a message, or of one text in its details, in UTF-16 units. */
const textLengthMax = 4096
/** Maximum number of elements of a list in the details. */
const listLengthMax = 1000

type Details = Readonly<Record<string, unknown>>

export function boundWarning(warning: Warning): Warning {
  const message = boundText(warning.message)
  const { details } = warning
  return details === undefined ? { ...warning, message } : { ...warning, message, details: boundDetails(details) }
}

/** The text, or its beginning and the number of omitted characters. */
export function boundText(text: string): string {
  if (text.length <= textLengthMax) return text
  const shown = shortenText(text, textLengthMax)
  return `${shown} (${text.length - shown.length + 1} more characters)`
}

/** Never truncates a suggestion: half a command is a different command. */
export function boundSuggestion(text: string): string {
  return text.length <= textLengthMax ? text : `(omitted a suggestion of ${text.length} characters)`
}

/** Copies details. `left_out` counts the omitted elements of each list, for example `{"refs": 4000}`. */
export function boundDetails(details: Details): Details {
  const leftOut: Record<string, number> = {}
  const bounded = boundMembers(details, '', leftOut)
  return Object.keys(leftOut).length === 0 ? bounded : { ...bounded, left_out: leftOut }
}

function boundMembers(members: Details, path: string, leftOut: Record<string, number>): Details {
  return Object.fromEntries(
    Object.entries(members).map(([key, value]) => [key, boundValue(value, `${path}${key}`, leftOut)]),
  )
}

function boundValue(value: unknown, path: string, leftOut: Record<string, number>): unknown {
  if (typeof value === 'string') return boundText(value)
  if (typeof value !== 'object' || value === null) return value
  if (!Array.isArray(value)) return boundMembers(value as Details, `${path}.`, leftOut)
  if (value.length > listLengthMax) leftOut[path] = value.length - listLengthMax
  return value.slice(0, listLengthMax).map((item, index) => boundValue(item, `${path}[${index}]`, leftOut))
}
