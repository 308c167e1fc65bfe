/**
 * Bounds of messages: paths, names and the answers of remotes are chosen by others, and messages quote them. Every cut
 * is stated where it was made, so no program takes a part for the whole.
 */

import { shortenText } from '../model/foreign/describe-foreign.ts'
import type { Warning } from '../tracker/effects.ts'

/** UTF-16 units of a message, or of one text among its details. */
const textLengthMax = 4096
/** Elements of one list among the details. */
const listLengthMax = 1000

type Details = Readonly<Record<string, unknown>>

export function boundWarning(warning: Warning): Warning {
  const message = boundText(warning.message)
  const { details } = warning
  return details === undefined ? { ...warning, message } : { ...warning, message, details: boundDetails(details) }
}

/** The text, or its beginning and how many characters are left out. */
export function boundText(text: string): string {
  if (text.length <= textLengthMax) return text
  const shown = shortenText(text, textLengthMax)
  return `${shown} (${text.length - shown.length + 1} more characters)`
}

/** A suggestion as a whole or not at all: half a command is another command. */
export function boundSuggestion(text: string): string {
  return text.length <= textLengthMax ? text : `(A suggestion of ${text.length} characters is left out.)`
}

/** Copies details. `left_out` counts what was cut off each list, for example `{"refs": 4000}`. */
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
