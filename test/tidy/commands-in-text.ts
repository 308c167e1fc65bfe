/** Finds the `grite …` commands on a page, and splits lines like a shell, as far as pages need. */

export interface Fence {
  /** Word after the opening backticks, for example `sh`. */
  readonly language: string
  readonly text: string
  /** 1-based line of the first line of the text. */
  readonly line: number
}

export function fencesOf(markdown: string): Fence[] {
  const fences: Fence[] = []
  const lines = markdown.split('\n')
  for (let index = 0; index < lines.length; index++) {
    const opening = /^```(\w*)/.exec(lines[index] ?? '')
    if (opening === null) continue
    const end = lines.indexOf('```', index + 1)
    fences.push({ language: opening[1] ?? '', text: lines.slice(index + 1, end).join('\n'), line: index + 2 })
    index = end
  }
  return fences
}

/** Words after `grite` of every command in a piece of shell. */
export function griteCommands(shell: string): string[][] {
  return splitCommands(shell.replaceAll('\\\n', ' ')).flatMap((words) => {
    const plain = words.filter((word, index) => !isRedirection(word) && !isRedirection(words[index - 1] ?? ''))
    const start = plain[0] === 'npx' || (plain[0] === 'git' && plain[1] === 'grite') ? 1 : 0
    return plain[start] === 'grite' ? [plain.slice(start + 1)] : []
  })
}

const isRedirection = (word: string): boolean => /^\d?(>>?|<)(&\d)?$/.test(word)

/** Commands between `|`, `&&`, `;` and line ends, as lists of unquoted words, without comments. */
export function splitCommands(shell: string): string[][] {
  const commands: string[][] = [[]]
  const tokens = /#[^\n]*|\n|&&|\|\|?|;|(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'|;&\n])+|&/g
  let previous = '\n'
  for (const [token] of shell.matchAll(tokens)) {
    if (token.startsWith('#') && /\s/.test(previous)) continue
    if (/^(\n|&&|\|\|?|;|&)$/.test(token)) commands.push([])
    else
      commands.at(-1)?.push(token.replaceAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'/g, (_, double, single) => double ?? single))
    previous = token === '\n' ? '\n' : ' '
  }
  return commands.filter((words) => words.length > 0)
}
