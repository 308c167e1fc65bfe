/** docs/cli.md: every command with its options and examples, as Markdown. */

import { parserOptions } from '../src/cli/parse-argv.ts'
import { globalOptions } from '../src/commands/define-command.ts'
import {
  argumentEntries,
  formatArgument,
  formatOption,
  formatUsage,
  optionEntries,
} from '../src/commands/option-text.ts'
import { parseRepoConfig } from '../src/tracker/local/repo-config.ts'
import { settings } from '../src/tracker/local/settings.ts'

export function formatCliMarkdown(commands) {
  const parts = [
    '# Commands',
    'Generated from the command table by `npm run docs`; do not edit. `grite help <command>` shows the same text.',
    commands
      .map(({ name, summary, shortForms = [] }) => {
        const short = shortForms.map((word) => `, \`grite ${word}\``).join('')
        return `- [\`grite ${name}\`](#grite-${name.replaceAll(' ', '-')})${short}: ${summary}`
      })
      .join('\n'),
    '## Global options',
    'They are accepted anywhere on the line.',
    formatTable(
      ['option', 'meaning'],
      Object.entries({ ...globalOptions, ...parserOptions }).map(([name, spec]) => [
        nameOption(name, spec),
        describe(spec),
      ]),
    ),
    tabOutput,
    environment,
    configuration,
    ...commands.map(formatCommand),
  ]
  return `${parts.join('\n\n')}\n`
}

const tabOutput = `## Tab-separated output

Without a terminal, lists print one line per row, with all columns separated by tabs, complete and without colours. New columns are
only added at the end. With \`--header\` the first line names the columns, unless the list is empty. A tab or line end inside a value
is printed as \`\\t\` or \`\\n\`; times are ISO 8601 in UTC.

| command | columns |
| --- | --- |
| \`issue list\`, \`search\`, \`query run\` | id, state, priority, type, status, title, labels, assignees, updated |
| the same with \`--fields\`, and \`issue show\` with it | the given keys |
| \`ready\` | as \`issue list\`, then due, milestone, unknown_blockers, created |
| \`blocked\` | id, title, edge, blocker, blocker_title: one line per blocker |
| \`board\` | status, id, priority, title, holder |
| \`issue history\` | event, when, who, what, change, note |
| \`issue dep list\` | edge, id, state, title |
| \`issue dep topo\` | id, state, title, labels, cycle |
| \`issue attachment list\` | name, type, content, sha_256 |
| \`query list\` | name, query, broken, by, saved |
| \`lock status\` | resource, holder, ends, where, title |
| \`actor list\` | actor, label, directory, key |
| \`config list\` | setting, value, from |
| \`stream list\` | stream, records, from, created, state, labels |
| \`snapshot list\` | snapshot, made, events, log_up_to, problem, verdict |

Labels leave out those with a column of their own; several values in one column are separated by commas. \`--json\` has all data.

## Pages

With \`--limit\`, \`issue list\`, \`search\`, \`query run\`, \`ready\`, \`blocked\` and \`issue history\` may leave out what comes last. The JSON
document then has a \`next_cursor\`; the same command with \`--after <next_cursor>\` continues behind it, even if issues were added
or changed in between. \`next_cursor\` is null when the list is complete, and nothing is left out without \`--limit\`.`

const environment = `## Environment

| variable | meaning |
| --- | --- |
| \`GRITE_ACTOR\` | same as \`--actor\`, which overrides it |
| \`GRITE_HOME\` | same as \`--data-dir\`, which overrides it |
| \`GRITE_LOG\` | a level (\`trace\` to \`error\`): logs to standard error |
| \`GRITE_DEBUG\` | \`1\`: errors show a stack trace |
| \`GRITE_REMOTE_TIMEOUT\` | seconds to wait for a silent remote; overrides \`remote.timeout\` |
| \`GRITE_REQUEST\` | a key, \`<unix ms>-<32 hexadecimal digits>\`, under which a command can be repeated: it is carried out once, and answers the same again |
| \`GRITE_NO_DAEMON\` | if set and not 0, no daemon is used or started |
| \`GRITE_NO_MAINTENANCE\` | if set, \`git maintenance run --auto\` and \`git pack-refs\` are not started in the background, and no write deletes ended locks |
| \`NO_COLOR\`, \`CLICOLOR\`, \`CLICOLOR_FORCE\` | colours, as usual |
| \`GIT_EDITOR\`, \`VISUAL\`, \`EDITOR\` | the editor to open on a terminal if a text is missing |
| \`GIT_DIR\` and similar | as for git |
| \`XDG_CACHE_HOME\` | folder for \`grite/\`, a cache of compiled code for Node versions other than that of the build; default \`~/.cache\` |
| \`NODE_DISABLE_COMPILE_CACHE\` | if set, this cache is neither written nor read |`

function settingsTable() {
  const defaults = parseRepoConfig('', {})
  const rows = settings.map(({ key, read, summary }) => {
    const value = read(defaults)
    return `| \`${key}\` | ${value === null ? '' : `\`${JSON.stringify(value)}\``} | ${summary} |`
  })
  return ['| key | default | meaning |', '| --- | --- | --- |', ...rows].join('\n')
}

const configuration = `## Configuration

\`.git/grite/config.toml\`, in the common git directory. All keys are optional; unknown keys are preserved.

${settingsTable()}

\`grite config list\` shows them all, \`grite config set <key> <value>\` changes one. Where \`default_actor\` belongs to another user of the system,
\`default_actor_<uid>\` is the actor of the user with that number.

### Several users

In a repository that several users of one system share (\`core.sharedRepository\`), everything below \`.git/grite/\` gets the same
modes as git's files, except for signing keys, which stay private to their owner. An actor belongs to the user who owns its folder:
the first write of each user creates an actor, and no user writes as the actor of another without selecting it with \`--actor\`.
\`grite actor use\` sets the default of the user who runs it.`

function formatCommand(command) {
  const { name, summary, shortForms = [], description, examples } = command
  const options = optionEntries(command).map(([option, spec]) => [nameOption(option, spec), describe(spec)])
  const args = argumentEntries(command).map(([argument, spec]) => [code(formatArgument(argument, spec)), spec.summary])
  return [
    `## grite ${name}`,
    `${summary}.`,
    fence('text', formatUsage(command)),
    ...(shortForms.length === 0 ? [] : [`Short form: ${shortForms.map((word) => code(`grite ${word}`)).join(', ')}.`]),
    ...(description === undefined ? [] : [formatDescription(description)]),
    ...(args.length === 0 ? [] : [formatTable(['argument', 'meaning'], args)]),
    ...(options.length === 0 ? [] : [formatTable(['option', 'meaning'], options)]),
    fence('sh', examples.map(({ command: line, explains }) => `# ${explains}\n${line}`).join('\n')),
  ].join('\n\n')
}

/** Turns indented lines of the help into a Markdown list. */
function formatDescription(description) {
  return description
    .split('\n')
    .map((line) => (line.startsWith('  ') ? `- ${line.trim()}` : escapeText(line)))
    .join('\n')
    .replace(/(?<=^(?!- ).*)\n(?=- )/gm, '\n\n')
    .replace(/(?<=^- .*)\n(?!- )/gm, '\n\n')
}

function nameOption(name, spec) {
  const long = code(formatOption(name, spec))
  return spec.short === undefined ? long : `\`-${spec.short}\`, ${long}`
}

function describe(spec) {
  const notes = [
    ...(spec.required === true ? ['required'] : []),
    ...(spec.repeatable === true ? ['may be repeated'] : []),
    ...(spec.choices !== undefined && spec.valueName !== undefined ? [`one of ${spec.choices.join(', ')}`] : []),
  ]
  return notes.length === 0 ? spec.summary : `${spec.summary} (${notes.join('; ')})`
}

function formatTable(headings, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`
  const body = rows.map(([name, text]) => line([name, escapeText(text).replaceAll('|', '\\|')]))
  return [line(headings), line(headings.map(() => '---')), ...body].join('\n')
}

/** Bars must be escaped even in code inside a table. */
function code(text) {
  return `\`${text.replaceAll('|', '\\|')}\``
}

/** Angle brackets outside of code would be parsed as HTML. */
function escapeText(text) {
  return text
    .split(/(`[^`]*`)/)
    .map((part) => (part.startsWith('`') ? part : part.replaceAll('<', '\\<')))
    .join('')
}

function fence(language, text) {
  return `\`\`\`${language}\n${text}\n\`\`\``
}
