/**
 * Makes text from events safe to print. Anyone who can push an event chooses its text, and a terminal obeys control
 * sequences: they could hide text, forge output, or type into the shell. They are shown, not removed, so that nobody
 * reads something else than what is stored.
 */
import { makeJsonVisible, makeVisible } from '../../model/visible-text.ts'

/** For text on one line: titles, labels, names, urls. A line end is shown as `\n`. */
export function escapeLine(text: string): string {
  return makeVisible(text)
}

/** For bodies and messages: line ends and tabs stay, a carriage return before a line end goes. */
export function escapeText(text: string): string {
  return makeVisible(text.replaceAll('\r\n', '\n'), '\n\t')
}

/** For JSON: the document stays the same when people copy it. */
export function escapeJson(json: string): string {
  return makeJsonVisible(json)
}
