import type { CommandContext } from '../effects.ts'

/**
 * Warns of a text with `\n` as two characters and no line break: in double quotes, a shell keeps a backslash.
 *
 * @param option - the option that holds the text
 * @param file - the option that reads the text from a file, if there is one
 */
export function warnOfLiteralNewline(
  { warn }: Pick<CommandContext, 'warn'>,
  { option, file, text }: { readonly option: string; readonly file?: string; readonly text: string | undefined },
): void {
  if (text === undefined || !text.includes('\\n') || /[\r\n]/.test(text)) return
  const ways = [...(file === undefined ? [] : [`--${file} -`]), "$'first\\nsecond'"]
  warn({
    code: 'literal-newline',
    message: `--${option} has a backslash and an n, and no line break; to write several lines, use ${ways.join(' or ')}`,
    details: { field: option },
  })
}
