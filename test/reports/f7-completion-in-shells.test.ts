/** Completion as shells insert it: values with colons, at signs, spaces and quotes, and files with spaces. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { after, before, test } from 'node:test'
import { commandLineCommands } from '../../src/cli/all-commands.ts'
import { buildCommandTable } from '../../src/cli/command-table.ts'
import { type CompletedKind, completeLine } from '../../src/cli/complete.ts'
import { completionScript } from '../../src/cli/completion-scripts.ts'
import { shellWord } from '../../src/model/index.ts'
import { createGriteSandbox } from '../contract/grite-process.ts'
import { createSandbox } from '../git/temp-repository.ts'

const place = createSandbox({ after })
const bin = join(place.dir, 'bin')
const env = { ...place.environment, PATH: `${bin}${delimiter}${place.environment.PATH}`, TERM: 'dumb' }

const known: Partial<Record<CompletedKind, readonly string[]>> = {
  label: ['area:ui', 'good first issue', "it's", 'a"q', 'c:\\x'],
  assignee: ['ann@example.com'],
  milestone: ['v1.0: first'],
}

interface Typed {
  /** Text typed before the tab. */
  readonly line: string
  /** Words passed to grite for completion. */
  readonly asks: readonly string[]
  /** Last word of the completed command. */
  readonly gets: string
}

const typed: readonly Typed[] = [
  ...[
    ['--label area:u', '--label', 'area:u', 'area:ui'],
    ['--label=area:u', '--label=area:u', '--label=area:ui'],
    ['--label "area:u', '--label', 'area:u', 'area:ui'],
    ['--label goo', '--label', 'goo', 'good first issue'],
    ['--label good\\ f', '--label', 'good f', 'good first issue'],
    ['--label it', '--label', 'it', "it's"],
    ['--label \'a"', '--label', 'a"', 'a"q'],
    ['--label c:', '--label', 'c:', 'c:\\x'],
    ['--assignee ann@e', '--assignee', 'ann@e', 'ann@example.com'],
    ['--milestone v1.0', '--milestone', 'v1.0', 'v1.0: first'],
    ['--state o', '--state', 'o', 'open'],
  ].map(([line = '', ...words]) => ({
    line: `issue list ${line}`,
    asks: ['issue', 'list', ...words.slice(0, -1)],
    gets: words.at(-1) ?? '',
  })),
  { line: 'import my', asks: ['import', 'my'], gets: 'my file.jsonl' },
  { line: 'import "my f', asks: ['import', 'my f'], gets: 'my file.jsonl' },
  { line: 'export --output=my', asks: ['export', '--output=my'], gets: '--output=my file.jsonl' },
  { line: 'issue update --set prio', asks: ['issue', 'update', '--set', 'prio'], gets: 'priority=' },
  { line: 'completion z', asks: ['completion', 'z'], gets: 'zsh' },
]

before(async () => {
  mkdirSync(bin)
  writeFileSync(join(place.dir, 'my file.jsonl'), '')
  mkdirSync(join(place.dir, 'folder'))
  for (const shell of ['bash', 'zsh', 'fish'] as const) {
    writeFileSync(join(place.dir, `script.${shell}`), completionScript(shell))
  }
  // Stands in for grite: prints completions, or the command line as `<word><word>`.
  const table = buildCommandTable(commandLineCommands)
  const answers = await Promise.all(
    typed.map(async ({ asks }) => {
      const lines = await completeLine(asks, table, async (kind) => known[kind] ?? [])
      return `${shellWord(show(['__complete', ...asks]))}) printf '%s\\n' ${lines.map(shellWord).join(' ')} ;;`
    }),
  )
  const program = [
    '#!/bin/sh',
    `asked=$(printf '<%s>' "$@")`,
    'case $asked in',
    ...answers,
    '*) echo "$asked" ;;',
    'esac',
  ]
  writeFileSync(join(bin, 'grite'), `${program.join('\n')}\n`, { mode: 0o755 })
})

const show = (words: readonly string[]) => words.map((word) => `<${word}>`).join('')
const wanted = typed.map(({ asks, gets }) => show([...asks.slice(0, -1), gets]))
const terminalMissing = spawnSync('script', ['-qec', 'true', '/dev/null'], { input: '' }).status !== 0
const whyNot = (shell: string): string | false => {
  if (spawnSync(shell, ['-c', 'true']).error !== undefined) return `${shell} is not installed`
  return terminalMissing && shell !== 'fish' ? 'there is no `script` of util-linux here' : false
}

/** Types the lines, each with a tab, into an interactive shell. @returns the words of each command */
function typeInto(shell: string, setup: string): string[] {
  const lines = typed.map(({ line }) => `grite ${line}\t\n`).join('')
  const { stdout } = spawnSync('script', ['-qec', shell, '/dev/null'], {
    cwd: place.dir,
    env,
    input: `${setup}\n${lines}exit\n`,
    encoding: 'utf8',
    timeout: 60_000,
  })
  // Some are preceded by output of the shell.
  return [...stdout.matchAll(/(<[^\r\n]*>)\r?$/gm)].map(([, words = '']) => words)
}

test('bash completes values and files as whole words', { skip: whyNot('bash') }, () => {
  const setup = `PS1=; bind 'set bell-style none'; source ${place.dir}/script.bash`
  assert.deepEqual(typeInto('bash --norc --noprofile -i', setup), wanted)
})

test('zsh completes values and files as whole words', { skip: whyNot('zsh') }, () => {
  const setup = `PS1=; autoload -U compinit; compinit -u -D; source ${place.dir}/script.zsh`
  assert.deepEqual(typeInto('zsh -f -i', setup), wanted)
})

test('fish completes values and files as whole words', { skip: whyNot('fish') }, () => {
  const ask = typed.map(({ line }) => `complete -C ${shellWord(`grite ${line}`)}; echo END`)
  const program = [`source ${place.dir}/script.fish`, ...ask].join('\n')
  const { stdout, stderr } = spawnSync('fish', ['--no-config', '-c', program], {
    cwd: place.dir,
    env,
    encoding: 'utf8',
  })
  assert.equal(stderr, '')
  const offered = stdout.split('END\n').slice(0, -1)
  assert.deepEqual(
    offered.map((lines) => lines.trimEnd().split('\n')).map((lines) => lines.map((line) => line.split('\t')[0])),
    typed.map(({ gets }) => [gets]),
  )
})

test('completion offers values of the repository and fixed words', (t) => {
  const { create, git, grite, path } = createGriteSandbox(t)
  create('one', '--type', 'spike', '--milestone', 'v1', '--set', 'status=blocked')
  git(path, 'remote', 'add', 'upstream', '../nowhere')
  const offered = (...words: string[]) =>
    grite('__complete', ...words)
      .stdout.split('\n')
      .slice(0, -1)
  assert.deepEqual(offered('issue', 'list', '--type', ''), ['bug', 'feature', 'task', 'epic', 'chore', 'spike'])
  assert.deepEqual(offered('ready', '--milestone', ''), ['v1'])
  assert.deepEqual(offered('issue', 'update', '--set', 'status='), ['status=blocked'])
  assert.deepEqual(offered('sync', '--remote', 'u'), ['upstream'])
  assert.deepEqual(offered('issue', 'create', '--priority', ''), ['P0', 'P1', 'P2', 'P3', 'P4'])
  assert.deepEqual(offered('issue', 'list', '--state', ''), ['open', 'closed', 'all'])
  assert.deepEqual(offered('completion', ''), ['bash', 'zsh', 'fish'])
})
