/** The interface of renderers: the data of a command and the properties of the output. */
import type { Piece } from '../../tracker/export/json-pieces.ts'
import type { Style } from './style.ts'

export interface RenderView {
  /** Width in columns, or null without a terminal: then nothing is truncated, and tables are tab-separated. */
  readonly width: number | null
  readonly style: Style
  readonly nowUnixMs: number
  /** `--quiet`: only the result; no counts, hints or confirmations. */
  readonly quiet: boolean
  /** `--header` without a terminal: tables begin with the names of their columns. */
  readonly header?: boolean
}

/**
 * Renders the `data` of one command as text for people, including line ends; the empty string prints nothing. It must pass
 * every text from an event or a file through `escapeLine` or `escapeText`.
 */
export type Renderer<Data> = (data: Data, view: RenderView) => string | Promise<string>

/** A renderer that yields pieces, for output that may exceed the maximum length of a string. */
export type PieceRenderer<Data> = (data: Data, view: RenderView) => Iterable<Piece> | AsyncIterable<Piece>

/** Rendered output, as a whole or in pieces. */
export type Rendered = string | Iterable<Piece> | AsyncIterable<Piece>
