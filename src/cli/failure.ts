/** A failure for people. */
import type { Failure } from '../commands/describe-failure.ts'
import { escapeLine, escapeText } from './render/escape-for-terminal.ts'

/** Formats and escapes a failure. Indents further lines of a message, such as candidates for an id, so that they cannot imitate our own lines. */
export function formatFailureForPeople({ message, suggestions }: Failure): string {
  const list = suggestions.map((text) => `  - ${escapeLine(text)}\n`).join('')
  return `error: ${setIn(escapeText(message))}\n${list === '' ? '' : `\nSuggestions:\n${list}`}`
}

/** The escaped stack trace for GRITE_DEBUG. */
export function formatStack({ stack = '' }: Failure): string {
  return `${setIn(escapeText(stack))}\n`
}

function setIn(text: string): string {
  return text.replaceAll(/\n(?! {2})/g, '\n  ')
}
