/**
 * Node decodes arguments and environment as UTF-8 and replaces invalid bytes by U+FFFD. The original text is lost: a title
 * would be stored changed, and a file would get another name. So such text is refused; a genuine U+FFFD is accepted.
 */
import { isUtf8 } from 'node:buffer'
import { InvalidArgsError } from '../model/errors/index.ts'
import type { ProcessFacts } from './process-facts.ts'

/** Variables that grite reads as text or path, or that would make git use other files when changed. */
const variables = [
  ...['GRITE_ACTOR', 'GRITE_HOME', 'HOME', 'XDG_CONFIG_HOME', 'TMPDIR', 'GIT_EDITOR', 'VISUAL', 'EDITOR'],
  ...['GIT_DIR', 'GIT_WORK_TREE', 'GIT_COMMON_DIR', 'GIT_OBJECT_DIRECTORY', 'GIT_ALTERNATE_OBJECT_DIRECTORIES'],
  ...['GIT_CEILING_DIRECTORIES', 'GIT_CONFIG_GLOBAL', 'GIT_CONFIG_SYSTEM', 'GIT_CONFIG_PARAMETERS'],
]

/** Cheap unless some text has a U+FFFD. @throws {InvalidArgsError} on text that is not UTF-8 */
export function refuseUndecodedText(
  argv: readonly string[],
  { env, rawArguments, rawVariable }: Pick<ProcessFacts, 'env' | 'rawArguments' | 'rawVariable'>,
): void {
  const position = argv.findIndex(isSuspect)
  if (position >= 0) refuseArguments(argv, position, rawArguments(argv.length))
  for (const name of variables) {
    const raw = isSuspect(env[name]) ? rawVariable(name) : undefined
    if (raw === undefined || (raw !== null && isUtf8(raw))) continue
    throw new InvalidArgsError(`the environment variable ${name} is not valid UTF-8: ${show(raw, env[name])}`, {
      details: { field: name },
    })
  }
}

function isSuspect(text: string | undefined): boolean {
  return text?.includes('\ufffd') === true
}

/** @param raw - null if the system does not provide the bytes; then any U+FFFD is refused */
function refuseArguments(argv: readonly string[], suspect: number, raw: readonly Buffer[] | null): void {
  const position = raw === null ? suspect : raw.findIndex((bytes) => !isUtf8(bytes))
  if (position < 0) return
  const shown = show(raw?.[position] ?? null, argv[position])
  throw new InvalidArgsError(`argument ${position + 1} is not valid UTF-8: ${shown}`, {
    details: { field: 'arguments', position: position + 1 },
    hints: [
      'Set the terminal to UTF-8, or pass the text in a UTF-8 file or on standard input, such as with --body-file',
    ],
  })
}

/** Shows non-ASCII bytes as `\xe9`. */
function show(raw: Buffer | null, decoded = ''): string {
  if (raw === null) return `'${decoded}'`
  const text = raw.toString('latin1').replaceAll(/[^\x20-\x7e]/g, (byte) => {
    return `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`
  })
  return `'${text}'`
}
