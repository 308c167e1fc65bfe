/** Languages of source files, by the ends of their names (spec §6.10; those that it does not know are ours). */

/** File name endings of each language, case-sensitive. */
const endings = {
  bash: ['sh', 'bash'],
  c: ['c', 'h'],
  cpp: ['cpp', 'hpp', 'cc', 'cxx', 'hh', 'hxx'],
  csharp: ['cs'],
  elixir: ['ex', 'exs'],
  go: ['go'],
  java: ['java'],
  javascript: ['js', 'jsx', 'mjs', 'cjs'],
  kotlin: ['kt', 'kts'],
  php: ['php'],
  python: ['py', 'pyi'],
  ruby: ['rb', 'rake'],
  rust: ['rs'],
  scala: ['scala', 'sc'],
  swift: ['swift'],
  typescript: ['ts', 'mts', 'cts'],
  typescriptreact: ['tsx'],
  zig: ['zig'],
} as const

export type Language = keyof typeof endings

export const languages = Object.keys(endings) as Language[]

const byEnding = new Map(
  languages.flatMap((language) => endings[language].map((ending) => [ending as string, language])),
)

/** The language of a file, by its name; null when it is none of them. */
export function languageOf(path: string): Language | null {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const dot = name.lastIndexOf('.')
  return dot <= 0 ? null : (byEnding.get(name.slice(dot + 1)) ?? null)
}
