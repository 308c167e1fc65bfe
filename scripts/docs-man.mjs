/** docs/man/grite.1: the command table as a man page. */

import { parserOptions } from '../src/cli/parse-argv.ts'
import { globalOptions } from '../src/commands/define-command.ts'
import {
  argumentEntries,
  formatArgument,
  formatOption,
  formatUsage,
  optionEntries,
} from '../src/commands/option-text.ts'

export function formatManPage(commands, version) {
  return `${[
    `.TH GRITE 1 "" "grite ${version}" "User Commands"`,
    '.SH NAME',
    'grite \\- issue tracker and event store inside a git repository',
    '.SH SYNOPSIS',
    '.B grite',
    '.I command',
    '[options]',
    '.SH DESCRIPTION',
    roff('grite keeps issues as events in commits below refs/grite/ of the repository it is run in.'),
    roff('Nothing is written to the working tree, and no service is needed.'),
    '.SH GLOBAL OPTIONS',
    ...formatOptions(Object.entries({ ...globalOptions, ...parserOptions })),
    '.SH COMMANDS',
    ...commands.flatMap(formatCommand),
    '.SH EXIT STATUS',
    '0 success; 1 partial success, or another failure; 2 invalid arguments; 3 not found; 4 conflict; 5 disk, remote or view;',
    '6 daemon.',
    '.SH SEE ALSO',
    '.BR git (1)',
  ].join('\n')}\n`
}

function formatCommand(command) {
  const { summary, shortForms = [], description, examples } = command
  return [
    `.SS "${roff(formatUsage(command))}"`,
    roff(`${summary}.`),
    ...(shortForms.length === 0 ? [] : ['.PP', roff(`Short form: grite ${shortForms.join(', grite ')}.`)]),
    ...(description === undefined
      ? []
      : [
          '.PP',
          ...description.split('\n').flatMap((line) => [...(line.startsWith('  ') ? ['.br'] : []), roff(line.trim())]),
        ]),
    ...argumentEntries(command).flatMap(([name, spec]) => [
      '.TP',
      `.B ${roff(formatArgument(name, spec))}`,
      roff(spec.summary),
    ]),
    ...formatOptions(optionEntries(command)),
    ...examples.flatMap(({ command: line, explains }) => [
      '.PP',
      roff(`${explains}:`),
      '.PP',
      '.nf',
      `.RS 4\n${roff(line)}\n.RE`,
      '.fi',
    ]),
  ]
}

function formatOptions(entries) {
  return entries.flatMap(([name, spec]) => {
    const short = spec.short === undefined ? '' : `-${spec.short}, `
    const choices =
      spec.choices !== undefined && spec.valueName !== undefined ? ` (one of ${spec.choices.join(', ')})` : ''
    return ['.TP', `.B ${roff(`${short}${formatOption(name, spec)}`)}`, roff(`${spec.summary}${choices}`)]
  })
}

/** Escapes backslashes and hyphens, and lines that start with a dot or an apostrophe, which would be roff requests. */
function roff(text) {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('…', '...')
    .replace(/^([.'])/gm, '\\&$1')
    .replaceAll('"', '\\(dq')
}
