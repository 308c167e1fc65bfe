/** What a renderer works with: the command's data and the facts of the place it prints to. */
import type { Style } from './style.ts'

export interface RenderView {
  /** Columns to fit, or null off a terminal: then nothing is cut, and tables are separated by tabs. */
  readonly width: number | null
  readonly style: Style
  readonly nowUnixMs: number
  /** `--quiet`: only what was asked for; no counts, hints or confirmations. */
  readonly quiet: boolean
}

/**
 * Turns one command's `data` into text for people, line ends included; the empty string prints nothing. It must pass
 * every text that came from an event or a file through `escapeLine` or `escapeText`.
 */
export type Renderer<Data> = (data: Data, view: RenderView) => string | Promise<string>

/** A renderer of answers that may be longer than a string can be: the text in pieces. */
export type PieceRenderer<Data> = (data: Data, view: RenderView) => Iterable<string> | AsyncIterable<string>

/** What is printed, whole or in pieces. */
export type Rendered = string | Iterable<string> | AsyncIterable<string>
