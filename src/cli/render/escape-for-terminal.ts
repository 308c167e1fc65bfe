/**
 * Makes text from events safe to print. Anyone who can push chooses that text, and control sequences could make a terminal
 * hide text, forge output, or type into the shell. They are made visible, not removed, so that the output matches the
 * stored text.
 */
import { makeJsonVisible, makeVisible } from '../../model/visible-text.ts'

/** For single-line text: titles, labels, names, URLs. A line end is shown as `\n`. */
export function escapeLine(text: string): string {
  return makeVisible(text)
}

/** For bodies and messages: keeps line ends and tabs, drops a carriage return before a line end. */
export function escapeText(text: string): string {
  return makeVisible(text.replaceAll('\r\n', '\n'), '\n\t')
}

/** For JSON: uses `\u` escapes, so that the document stays equivalent. */
export function escapeJson(json: string): string {
  return makeJsonVisible(json)
}
