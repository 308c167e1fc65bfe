// `npm run tour`: demonstrates grite in a temporary repository. Prints every command and its real output. Needs dist/, which
// `npm ci` builds.
import { spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { stripVTControlCharacters } from 'node:util'

const project = realpathSync(join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..'))
const grite = join(project, 'dist', 'grite.cjs')
const sample = join(project, 'fixtures', 'import', 'sample.jsonl')
/** The default folder of commands. */
const home = 'tides'

const onTerminal = process.stdout.isTTY === true
const inColor = onTerminal && !process.env.NO_COLOR && process.env.TERM !== 'dumb'
const bold = (text) => (inColor ? `\x1b[1;36m${text}\x1b[0m` : text)
const strong = (text) => (inColor ? `\x1b[1m${text}\x1b[0m` : text)

class TourStopped extends Error {}

async function main() {
  for (const [file, remedy] of [
    [grite, 'run `npm ci` or `npm run build` to build it'],
    [sample, 'it is part of the repository; run `git status` to see whether it was deleted'],
  ]) {
    if (existsSync(file)) continue
    console.error(`The tour needs ${file}: ${remedy}.`)
    return 1
  }
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'grite-tour-')))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => endWith(128 + constants.signals[signal]))
  }
  // `npm run tour | head` is not a failure.
  process.stdout.on('error', () => endWith(0))
  try {
    mkdirSync(join(folder, home))
    await tour(makeShell(folder))
    return 0
  } catch (error) {
    if (!(error instanceof TourStopped)) throw error
    console.error(`\nThe tour stopped: ${error.message}.`)
    return 1
  }
}

/** The running command; it must exit before its folder is removed. */
let running

function endWith(status) {
  if (running === undefined) process.exit(status)
  running.removeAllListeners('close').on('close', () => process.exit(status))
  running.kill()
}

async function tour({ folder, run, runAll, idFrom }) {
  const started = performance.now()

  heading('A repository like any other')
  say(`It is in ${join(folder, home)} and will be removed at the end.`)
  await runAll(
    'git init -q -b main',
    'git config user.name Ada',
    'git config user.email ada@example.com',
    'git commit -q --allow-empty -m "Start the tide app"',
  )
  say('grite needs nothing else. `init` creates an actor, the identity of this clone.')
  await run('grite init')

  heading('Create, comment, label')
  const crash = idFrom(
    await run(
      'grite issue create --title "Crash on first start" --label bug --priority P1 \\\n' +
        '    --body "The chart asks for the tides of a harbour that is not there."',
    ),
  )
  await run('grite issue create --title "Night theme" --type feature --assignee ada')
  say('Every write is a commit on refs/grite/wal, flushed to disk before it is acknowledged.')
  await run(`grite issue comment ${crash} --body "Only when no harbour is saved yet."`)
  await run(`grite issue label add ${crash} --label startup`)

  heading('List and show')
  if (!onTerminal) say('Without a terminal, as here, a list has one tab-separated line per issue, for cut and awk.')
  await run('grite issue list')
  say('Any unique prefix of an id works, from four characters on.')
  await run(`grite issue show ${crash.slice(0, 7)}`)

  heading('Import a tracker')
  cpSync(sample, join(folder, home, 'tracker.jsonl'))
  say('tracker.jsonl is a small beads tracker: twelve lines, with fields, edges and comments.')
  await run('grite import tracker.jsonl')
  say('Importing it again adds nothing. Another clone that imports it creates the same events.')
  await run('grite import tracker.jsonl')
  say('The old ids keep working.')
  await run('grite issue show tide-7')

  heading('Ask')
  say('A list shows issues that match all filters.')
  await run('grite issue list --label curve --sort priority')
  await run('grite issue list --text harbour')
  say('For scripts and agents: one JSON document with only the keys they need.')
  await run('grite issue list --assignee ravi --json --fields short_id,title,priority')
  await run(`grite issue close ${crash} --comment "Fixed: an empty list is drawn as a hint."`)

  heading('What next?')
  say('Open issues without open blockers that nobody has taken, most urgent first.')
  await run('grite ready --limit 3')
  say('A claim removes an issue from this list; `blocked` shows what other issues wait for.')
  await run('grite issue claim --next')
  await run('grite blocked')

  heading('Two clones, one truth')
  say('Any remote works. `sync` fetches, joins and pushes; the remote only moves forward.')
  await runAll(
    'git init -q --bare -b main ../shared.git',
    'git remote add origin ../shared.git',
    'git push -q origin main',
  )
  await run('grite sync')
  say('Bo clones the repository; `init` fetches the issues.')
  await runAll('git clone -q ../shared.git ../bo')
  const bo = { at: 'bo' }
  await run('git config user.name Bo', bo)
  await run('grite init', bo)
  say('Both write independently, and one sync each merges their changes.')
  await run('grite issue create --title "Harbour lights" --priority P0', bo)
  await run(`grite issue comment ${crash.slice(0, 7)} --body "Seen again on an old phone."`)
  await run('grite sync', bo)
  await run('grite sync')
  say('With a remote a claim holds for all clones: if several race for an issue, one wins.')
  await run('grite issue claim --next --remote origin', bo)
  const taken = (
    await run('grite issue list --query "assignee:me" --json --fields short_id', { ...bo, quietly: true })
  ).match(/"short_id": ?"([0-9a-f]+)"/)?.[1]
  await run(`grite issue claim ${taken} --remote origin`, { status: 4 })

  heading('Export everything')
  say('An export holds every event, so `grite import` restores it in another repository with the same ids.')
  await run('grite export --format json --output backup.json')

  heading('git is the source of truth')
  say('A view answers queries: a cache that can be rebuilt from the log at any time.')
  await run('grite rebuild')
  say('The log is ordinary git: one commit per command, with any number of events.')
  await run('git log --oneline refs/grite/wal')
  say('`doctor` checks everything, and with `--fix` fixes what is safe to fix.')
  await run('grite doctor')
  say(
    'git reports no problems, no hook was installed and no tracked file changed. The two untracked files belong to the tour.',
  )
  await run('git fsck --strict --no-progress')
  await run('git status --short')

  heading('Done')
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  say(`It took ${seconds} seconds, mostly for starting programs. In your own repository:`)
  process.stdout.write('\n    npm link              once, in this folder\n    cd <your repository>\n')
  process.stdout.write('    grite issue create --title "…"\n    grite help\n')
}

function heading(text) {
  process.stdout.write(`\n${bold(`── ${text} `)}${bold('─'.repeat(Math.max(3, 74 - text.length)))}\n`)
}

/** Prints prose, at most 78 columns wide. */
function say(text) {
  let line = ''
  process.stdout.write('\n')
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > 78) {
      process.stdout.write(`${line}\n`)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  process.stdout.write(`${line}\n`)
}

/** Runs commands in a folder, with output as on a person's terminal. */
function makeShell(folder) {
  const env = {
    // Nothing of the tour stays behind.
    GRITE_NO_DAEMON: '1',
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(GIT|GRITE)_/.test(name))),
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_PAGER: 'cat',
    // The folder is removed at the end, so no process may still be running in it.
    GRITE_NO_MAINTENANCE: '1',
  }

  /** @returns the output of the command without colours; empty when it went directly to the terminal */
  async function run(line, { at = home, status = 0, quietly = false } = {}) {
    if (!quietly) process.stdout.write(`\n${strong(`${at === home ? '' : `${at} `}$ ${line}`)}\n`)
    return execute(line, { at, status, quietly })
  }

  /** Runs commands without output, without blank lines in between. */
  async function runAll(...lines) {
    process.stdout.write('\n')
    for (const line of lines) {
      process.stdout.write(`${strong(`$ ${line}`)}\n`)
      await execute(line, { at: home, status: 0, quietly: false })
    }
  }

  async function execute(line, { at, status: expected, quietly }) {
    const [program, ...words] = splitWords(line)
    const [file, args] = program === 'grite' ? [process.execPath, [grite, ...words]] : [program, words]
    // Commands whose output has a needed id write to a pipe; the others write to the terminal, if there is one.
    const piped = !onTerminal || quietly || words[1] === 'create'
    const child = spawn(file, args, {
      cwd: join(folder, at),
      env: piped && inColor ? { ...env, CLICOLOR_FORCE: '1' } : env,
      stdio: ['ignore', piped ? 'pipe' : 'inherit', 'inherit'],
    })
    running = child
    let output = ''
    child.stdout?.setEncoding('utf8').on('data', (text) => {
      output += text
      if (!quietly) process.stdout.write(text)
    })
    const [status, signal] = await new Promise((resolve, reject) => {
      child.on('error', (error) => reject(new TourStopped(`\`${line}\` could not be started: ${error.message}`)))
      child.on('close', (...end) => resolve(end))
    })
    running = undefined
    if (signal !== null) throw new TourStopped(`\`${line}\` was killed by ${signal}`)
    if (status !== expected) throw new TourStopped(`\`${line}\` exited with status ${status}`)
    return stripVTControlCharacters(output)
  }

  function idFrom(output) {
    const id = /^Created ([0-9a-f]{7,32}) /.exec(output)?.[1]
    if (id === undefined) throw new TourStopped('`grite issue create` printed no id')
    return id
  }

  return { folder, run, runAll, idFrom }
}

/** Splits a line like a shell; supports only double quotes and continued lines. */
function splitWords(line) {
  return [...line.replaceAll('\\\n', ' ').matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word)
}

process.exitCode = await main()
