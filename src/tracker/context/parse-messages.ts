/** What the threads that parse are asked, and what they answer. */
import type { Language, SourceSymbol } from '../../model/index.ts'

/** Why a file has no facts. */
const leftOutReasons = [
  'language',
  'symlink',
  'submodule',
  'generated',
  'no-diff',
  'binary',
  'encoding',
  'large',
  'unreadable',
  'path',
  'too-slow',
  'crashed',
  'too-many-symbols',
] as const
export type LeftOut = (typeof leftOutReasons)[number]

export const isLeftOut = (word: string): word is LeftOut => (leftOutReasons as readonly string[]).includes(word)

export interface ParseOrder {
  readonly number: number
  readonly language: Language
  /** The content, or where it is. */
  readonly source: Uint8Array | string
  /** Leaves the symbols out where the content has this SHA-256. */
  readonly knownHash: string | null
}

export interface ParseAnswer {
  readonly number: number
  /** SHA-256 of the content in hex; null when it was not read. */
  readonly contentHash: string | null
  /** Null when the content is the known one, or when the file is left out. */
  readonly symbols: readonly SourceSymbol[] | null
  readonly leftOut: LeftOut | null
}
