/** What is known of a source file: its symbols in their order, and a sentence about them (spec §6.10). */
import { compareText } from '../compare.ts'
import type { SourceSymbol } from '../event-kinds.ts'
import type { Language } from './languages.ts'

/** Kinds of symbols, those first that come first among symbols of one line. */
export const symbolKinds = [
  'struct',
  'class',
  'interface',
  'enum',
  'trait',
  'module',
  'namespace',
  'function',
  'method',
  'impl',
  'const',
  'static',
  'type',
] as const

export type SymbolKind = (typeof symbolKinds)[number]

/** Kinds of the same class come in the order in which they were found. */
const priorities = new Map<string, number>(
  symbolKinds.map((kind, index) => [kind, index < 7 ? 0 : kind === 'type' ? 2 : 1]),
)

/** Symbols by line; of neighbours with the same line and name only the first. */
export function orderSymbols(found: readonly SourceSymbol[]): SourceSymbol[] {
  const priorityOf = ({ kind }: SourceSymbol) => priorities.get(kind) ?? 1
  const sorted = [...found].sort((a, b) => a.lineStart - b.lineStart || priorityOf(a) - priorityOf(b))
  return sorted.filter(({ lineStart, name }, index) => {
    const before = sorted[index - 1]
    return before === undefined || before.lineStart !== lineStart || before.name !== name
  })
}

/** The order that the log has: by name, then kind, otherwise as given. */
export function sortForLog(symbols: readonly SourceSymbol[]): SourceSymbol[] {
  return [...symbols].sort((a, b) => compareText(a.name, b.name) || compareText(a.kind, b.kind))
}

const namedMax = 3

/** The summary of a file, as the other program writes it. */
export function summarize(path: string, language: Language, symbols: readonly SourceSymbol[]): string {
  if (symbols.length === 0) return `${language === 'typescriptreact' ? 'typescript' : language} file`
  const types = symbols.filter(({ kind }) => ['struct', 'class', 'interface'].includes(kind))
  const functions = symbols.filter(({ kind }) => kind === 'function' || kind === 'method')
  const parts: string[] = []
  if (types.length > 0) {
    const more = types.length > namedMax ? ` (+${types.length - namedMax} more)` : ''
    const names = types.slice(0, namedMax).map(({ name }) => name)
    parts.push(`defines ${names.join(', ')}${more}`)
  }
  if (functions.length > 0) parts.push(`${functions.length} functions`)
  if (parts.length > 0) return parts.join('; ')
  return `${path.slice(path.lastIndexOf('/') + 1)} (${language})`
}
