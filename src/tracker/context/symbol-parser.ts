/**
 * Finds the symbols of a source text with a tree-sitter grammar.
 *
 * Invariants
 * - Only names, kinds and lines leave this module.
 * - A text costs at most `parseMsMax`, and has at most `symbolsMax` symbols of at most `nameBytesMax` each.
 */
import { readFile } from 'node:fs/promises'
import { Language as Compiled, Parser, Query } from 'web-tree-sitter'
import { type Language, orderSymbols, type SourceSymbol, type SymbolKind, symbolKinds } from '../../model/index.ts'
import { grammarFile, parserFile } from './grammar-files.ts'
import { grammars } from './grammars.ts'

/** A usual file of 1 MiB takes 0.5 s. */
const parseMsMaxDefault = 5_000
/** More belong to a generated file. */
const symbolsMax = 10_000
/** Longer ones are not names; a record must stay small. */
const nameBytesMax = 256

export type ParseResult =
  | { readonly symbols: readonly SourceSymbol[] }
  | { readonly problem: 'too slow' | 'too many symbols' }

interface Loaded {
  readonly language: Compiled
  readonly query: Query
}

export class SymbolParser {
  readonly #parser: Parser
  readonly #loaded = new Map<Language, Loaded>()

  readonly #parseMsMax: number

  private constructor(parser: Parser, parseMsMax: number) {
    this.#parser = parser
    this.#parseMsMax = parseMsMax
  }

  /** @param options - `parseMsMax`: how long a text may take, in milliseconds */
  static async create({ parseMsMax = parseMsMaxDefault } = {}): Promise<SymbolParser> {
    await Parser.init({ wasmBinary: await readFile(parserFile()) })
    return new SymbolParser(new Parser(), parseMsMax)
  }

  async parse(name: Language, text: string): Promise<ParseResult> {
    const { language, query } = await this.#load(name)
    this.#parser.setLanguage(language)
    const end = performance.now() + this.#parseMsMax
    const tree = this.#parser.parse(text, null, { progressCallback: () => performance.now() > end })
    if (tree === null) {
      this.#parser.reset()
      return { problem: 'too slow' }
    }
    try {
      const found: Found[] = []
      const matches = query.matches(tree.rootNode, { progressCallback: () => performance.now() > end })
      if (performance.now() > end) return { problem: 'too slow' }
      for (const { captures, patternIndex } of matches) {
        const symbol = symbolOf(captures)
        if (symbol !== undefined) found.push({ symbol, patternIndex })
      }
      if (found.length > symbolsMax) return { problem: 'too many symbols' }
      return { symbols: orderSymbols(withoutDoubles(found)) }
    } finally {
      tree.delete()
    }
  }

  async #load(name: Language): Promise<Loaded> {
    const known = this.#loaded.get(name)
    if (known !== undefined) return known
    const { file, query } = grammars[name]
    const language = await Compiled.load(await readFile(grammarFile(file)))
    const loaded = { language, query: new Query(language, query) }
    this.#loaded.set(name, loaded)
    return loaded
  }
}

function symbolOf(captures: ReturnType<Query['captures']>): SourceSymbol | undefined {
  let name: string | undefined
  let definition: { readonly kind: SymbolKind; readonly lineStart: number; readonly lineEnd: number } | undefined
  for (const { name: capture, node } of captures) {
    if (capture === 'name') name = node.text
    else if (isKind(capture)) {
      definition = { kind: capture, lineStart: node.startPosition.row + 1, lineEnd: node.endPosition.row + 1 }
    }
  }
  // A missing name has no text; nothing shows an ill-formed one.
  if (name === undefined || name === '' || definition === undefined) return undefined
  if (Buffer.byteLength(name) > nameBytesMax || !name.isWellFormed() || /[\0-\x1f\x7f]/.test(name)) return undefined
  return { name, ...definition }
}

const kinds = new Set<string>(symbolKinds)
const isKind = (capture: string): capture is SymbolKind => kinds.has(capture)

interface Found {
  readonly symbol: SourceSymbol
  readonly patternIndex: number
}

/** Of a definition that several patterns match, the first of them in the query counts: it is the more special one. */
function withoutDoubles(found: readonly Found[]): SourceSymbol[] {
  const chosen = new Map<string, Found>()
  for (const each of found) {
    const { name, lineStart, lineEnd } = each.symbol
    const key = `${lineStart} ${lineEnd} ${name}`
    const known = chosen.get(key)
    if (known === undefined || each.patternIndex < known.patternIndex) chosen.set(key, each)
  }
  return [...chosen.values()].map(({ symbol }) => symbol)
}
