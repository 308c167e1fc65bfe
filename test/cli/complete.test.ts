import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { buildCommandTable } from '../../src/cli/command-table.ts'
import { completeLine } from '../../src/cli/complete.ts'
import { completion } from '../../src/cli/completion-command.ts'
import { completionScript } from '../../src/cli/completion-scripts.ts'
import { fakeCommands } from './fake-commands.ts'
import { runCli } from './run-cli.ts'

const table = buildCommandTable(fakeCommands)
const known: Readonly<Record<string, readonly string[]>> = {
  issue: ['4f2a\tCrash', '5b00\tOther'],
  label: ['bug', 'ui'],
}
const complete = async (...words: string[]) =>
  (await completeLine(words, table, async (kind) => known[kind] ?? [])).map((line) => line.split('\t')[0])

const lines: readonly (readonly [words: readonly string[], offered: readonly string[]])[] = [
  [[''], ['issue', 'snapshot', 'flood', 'sleep', 'help']],
  [['is'], ['issue']],
  [
    ['issue', ''],
    ['create', 'list', 'show', 'label'],
  ],
  [['issue', 'label', ''], ['add']],
  [
    ['--json', 'issue', 'l'],
    ['list', 'label'],
  ],
  [['--actor', 'ab', 'issue', 'sh'], ['show']],
  [['help', 'issue', 'cr'], ['create']],
  [['issue', 'list', '--st'], ['--state']],
  [
    ['issue', 'list', '--state', ''],
    ['open', 'closed'],
  ],
  [['issue', 'list', '--state=c'], ['--state=closed']],
  [['issue', 'list', '--label', 'u'], ['ui']],
  [['issue', 'show', '4'], ['4f2a']],
  [['issue', 'show', '4f2a', ''], []],
  [['issue', 'show', '--from', '-q', '4'], ['4f2a']],
  [['issue', 'show', '4f2a', '--from', ''], []],
  [
    ['issue', 'label', 'add', '4f2a', 'bug', ''],
    ['bug', 'ui'],
  ],
  [['issue', 'create', '--body-file', ''], [':files']],
  [['issue', 'create', '--title', 'T', '--ti'], []],
  [['issue', 'create', '--label', 'bug', '--la'], ['--label']],
  [['snapshot', ''], ['list']],
  [['nothing', ''], []],
]

for (const [words, offered] of lines) {
  test(`completes: ${words.join(' ')}|`, async () => assert.deepEqual(await complete(...words), offered))
}

test('completion offers nothing when the repository cannot be read', async () => {
  assert.deepEqual(await completeLine(['issue', 'show', ''], table, () => Promise.reject(new Error('damaged'))), [])
})

test('__complete prints candidates with their descriptions', async () => {
  const { status, stdout } = await runCli(['__complete', 'issue', 'cr'])
  assert.deepEqual({ status, stdout }, { status: 0, stdout: 'create\tCreate an issue\n' })
})

test('completion takes the shell from the SHELL variable', async () => {
  const { stdout } = await runCli(['completion', '--json'], { commands: [completion], env: { SHELL: '/bin/zsh' } })
  assert.equal(JSON.parse(stdout).data.shell, 'zsh')
})

test('completion for an unknown shell fails and lists the known shells', async () => {
  const { status, stderr } = await runCli(['completion', 'tcsh'], { commands: [completion] })
  assert.equal(status, 2)
  assert.match(stderr, /shell must be one of bash, zsh, fish; got 'tcsh'/)
})

const checks = { bash: ['-n'], zsh: ['-n'], fish: ['--no-execute'] } as const
for (const shell of ['bash', 'zsh', 'fish'] as const) {
  const missing = spawnSync(shell, ['-c', 'true']).error !== undefined
  test(`the completion script for ${shell} has valid syntax`, { skip: missing && `${shell} is not installed` }, () => {
    const directory = mkdtempSync(join(tmpdir(), 'grite-script-'))
    try {
      const path = join(directory, `grite.${shell}`)
      writeFileSync(path, completionScript(shell))
      const { status, stderr } = spawnSync(shell, [...checks[shell], path], { encoding: 'utf8' })
      assert.equal(status, 0, stderr)
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  })
}

test('the bash script completes both grite and git grite', () => {
  const directory = mkdtempSync(join(tmpdir(), 'grite-complete-'))
  try {
    writeFileSync(join(directory, 'grite'), '#!/bin/sh\nshift\nprintf "<%s>" "$@" | tr -d "\\n"; echo\n')
    chmodSync(join(directory, 'grite'), 0o755)
    const ask = (call: string, words: string) =>
      `COMP_WORDS=(${words}); COMP_CWORD=$((\${#COMP_WORDS[@]}-1)); ${call}; printf '%s\\n' "\${COMPREPLY[@]}"\n`
    const { stdout, stderr } = spawnSync('bash', ['--norc', '-s'], {
      input: [
        completionScript('bash'),
        ask('_grite', 'grite issue ""'),
        ask('_git_grite', 'git -C x grite issue li'),
        ask('_grite', 'grite issue list --state = o'),
      ].join('\n'),
      encoding: 'utf8',
      env: { PATH: `${directory}:${process.env.PATH}` },
    })
    const asked = stdout.replaceAll('\\', '').trim().split('\n')
    assert.deepEqual(asked, ['<issue><>', '<issue><li>', '<issue><list><--state=o>'], stderr)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})
