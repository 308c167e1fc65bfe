import { makeVisible } from '../visible-text.ts'

/**
 * A command for people and agents to paste: its words quoted for a POSIX shell. Names and paths come from others; none of
 * them may end the word it stands in. Every suggested command that holds one is built with this.
 */
export function shellCommand(...words: readonly string[]): string {
  return words.map(shellWord).join(' ')
}

/** One word as a POSIX shell, bash, zsh or fish reads it back. It stays readable, and nothing in it is invisible. */
export function shellWord(text: string): string {
  if (/^[\w@%+:,./-][\w@%+=:,./-]*$/.test(text)) return text
  if (makeVisible(text) === text) {
    // fish takes a backslash for an escape inside quotes, too.
    const quoted = text.replaceAll(/['\\]/g, (character) => `'\\${character}'`)
    return `'${quoted}'`
  }
  // What a terminal would obey or hide is written as octal numbers. `$(…)` would drop line ends at the end.
  const octal = Array.from(new TextEncoder().encode(text), octalUnlessPlain).join('')
  return text.endsWith('\n') ? `$'${octal}'` : `"$(printf '${octal}')"`
}

function octalUnlessPlain(byte: number): string {
  const character = String.fromCharCode(byte)
  return /[\w./:@,+=]/.test(character) ? character : `\\${byte.toString(8).padStart(3, '0')}`
}
