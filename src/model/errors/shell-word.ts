import { makeVisible } from '../visible-text.ts'

/**
 * A command to paste, with its words quoted for a POSIX shell. Names and paths are foreign text; none may break out of
 * its word. Every suggested command that contains one is built with this.
 */
export function shellCommand(...words: readonly string[]): string {
  return words.map(shellWord).join(' ')
}

/** Quotes one word for a POSIX shell, bash, zsh or fish. The result stays readable and has no invisible characters. */
export function shellWord(text: string): string {
  if (/^[\w@%+:,./-][\w@%+=:,./-]*$/.test(text)) return text
  if (makeVisible(text) === text) {
    // fish treats a backslash inside quotes as an escape, too.
    const quoted = text.replaceAll(/['\\]/g, (character) => `'\\${character}'`)
    return `'${quoted}'`
  }
  // Characters that a terminal would interpret or hide are written in octal. `$(…)` would drop trailing newlines.
  const octal = Array.from(new TextEncoder().encode(text), octalUnlessPlain).join('')
  return text.endsWith('\n') ? `$'${octal}'` : `"$(printf '${octal}')"`
}

function octalUnlessPlain(byte: number): string {
  const character = String.fromCharCode(byte)
  return /[\w./:@,+=]/.test(character) ? character : `\\${byte.toString(8).padStart(3, '0')}`
}
