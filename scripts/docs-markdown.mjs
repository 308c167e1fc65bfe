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

export function formatCliMarkdown(commands) {
  const parts = [
    '# Commands',
    'Made from the table of commands by `npm run docs`; do not edit. `grite help <command>` shows the same.',
    commands
      .map(({ name, summary }) => `- [\`grite ${name}\`](#grite-${name.replaceAll(' ', '-')}): ${summary}`)
      .join('\n'),
    '## Global options',
    'They may stand anywhere on the line.',
    formatTable(
      ['option', 'what it does'],
      Object.entries({ ...globalOptions, ...parserOptions }).map(([name, spec]) => [
        nameOption(name, spec),
        describe(spec),
      ]),
    ),
    environment,
    configuration,
    ...commands.map(formatCommand),
  ]
  return `${parts.join('\n\n')}\n`
}

const environment = `## Environment

| variable | what it does |
| --- | --- |
| \`GRITE_ACTOR\` | as \`--actor\`, when that is not given |
| \`GRITE_HOME\` | as \`--data-dir\`, when that is not given |
| \`GRITE_LOG\` | a level (\`trace\` to \`error\`): traces what is done on standard error |
| \`GRITE_DEBUG\` | \`1\`: failures show where they came from |
| \`GRITE_REMOTE_TIMEOUT\` | seconds to wait for a silent remote; overrides \`remote.timeout\` |
| \`GRITE_NO_MAINTENANCE\` | set: no \`git maintenance run --auto\` is started in the background |
| \`NO_COLOR\`, \`CLICOLOR\`, \`CLICOLOR_FORCE\` | colours, as usual |
| \`GIT_EDITOR\`, \`VISUAL\`, \`EDITOR\` | the editor that opens on a terminal when a text is missing |
| \`GIT_DIR\` and its like | as for git |
| \`XDG_CACHE_HOME\` | where compiled code is kept, in \`grite/\`, for a Node that the build did not run on; else \`~/.cache\` |
| \`NODE_DISABLE_COMPILE_CACHE\` | set: such code is neither kept nor read |`

const configuration = `## Configuration

\`.git/grite/config.toml\`, in the common git directory. All keys are optional; those that grite does not know are left alone.

| key | default | what it does |
| --- | --- | --- |
| \`default_actor\` | | who writes |
| \`default_actor_<uid>\` | | who writes for the user with this number, where \`default_actor\` belongs to another user |
| \`lock_policy\` | \`"warn"\` | what a write does about somebody else's lock on what it changes: \`off\`, \`warn\`, \`require\` (refuses) |
| \`verify_signatures\` | \`"off"\` | about received events whose signature is wrong or missing: \`off\`, \`warn\`, \`reject\` (the sync refuses them) |
| \`snapshot.auto\` | \`true\` | a sync makes a snapshot when one is due |
| \`snapshot.max_events\` | \`10000\` | events after the newest snapshot that make another one due |
| \`snapshot.max_age_days\` | \`7\` | its age that does so, when there is something new for it |
| \`snapshot.trust_signed\` | \`true\` | a snapshot that an actor of the log signed is used without a check; never with \`verify_signatures = "reject"\` |
| \`sync.remote\` | \`"origin"\` | the home remote, whose log the local one follows |
| \`sync.run_hooks\` | \`false\` | pushes run your pre-push hook |
| \`remote.timeout\` | \`60\` | seconds without a sign of life after which git and everything it started is ended; 0 waits for ever |
| \`lease.remote\` | | the remote on which locks and claims are taken when no \`--remote\` is given; \`grite init --lease-remote origin\` sets it |
| \`maintenance.auto\` | \`true\` | \`git maintenance run --auto\` is started in the background after much was written |

### Several users

In a repository that several users of one system share (\`core.sharedRepository\`), everything below \`.git/grite/\` gets the modes that git
gives, but for signing keys, which stay their owner's. An actor belongs to the user who owns its folder: the first write of each
user makes an actor, and nobody writes under the actor of another without naming it by \`--actor\`. \`grite actor use\` sets
the default of the user who runs it.`

function formatCommand(command) {
  const { name, summary, description, examples } = command
  const options = optionEntries(command).map(([option, spec]) => [nameOption(option, spec), describe(spec)])
  const args = argumentEntries(command).map(([argument, spec]) => [code(formatArgument(argument, spec)), spec.summary])
  return [
    `## grite ${name}`,
    `${summary}.`,
    fence('text', formatUsage(command)),
    ...(description === undefined ? [] : [formatDescription(description)]),
    ...(args.length === 0 ? [] : [formatTable(['argument', 'what it is'], args)]),
    ...(options.length === 0 ? [] : [formatTable(['option', 'what it does'], options)]),
    fence('sh', examples.map(({ command: line, explains }) => `# ${explains}\n${line}`).join('\n')),
  ].join('\n\n')
}

/** Lines that are indented are a list in the help; here they become one. */
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

/** Inside a table even code has to hide its bars. */
function code(text) {
  return `\`${text.replaceAll('|', '\\|')}\``
}

/** Angle brackets outside of code would be taken for HTML. */
function escapeText(text) {
  return text
    .split(/(`[^`]*`)/)
    .map((part) => (part.startsWith('`') ? part : part.replaceAll('<', '\\<')))
    .join('')
}

function fence(language, text) {
  return `\`\`\`${language}\n${text}\n\`\`\``
}
