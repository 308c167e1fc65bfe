/** Runs every example of every command as help and docs/cli.md show it, in a shell if it has more than words. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { commandLineCommands } from '../../src/cli/all-commands.ts'
import { gritePath } from '../contract/grite-process.ts'
import { runInThread } from '../contract/line-thread.ts'
import { createSandbox } from '../git/temp-repository.ts'
import { projectDir } from '../tidy/source-files.ts'

/** Statuses other than 0 that an example may end with here, and why. */
const others: Readonly<Record<string, readonly [status: number, why: string]>> = {
  "grite search 'is:overdue OR priority:P0' --exit-status": [1, 'an issue of the place matches'],
  "grite issue list --query 'is:open label:blocker -assignee:none' --exit-status": [1, 'an issue of the place matches'],
  'grite query run blockers --exit-status': [1, 'an issue of the place matches'],
  'grite edit 3f2a91c': [2, 'there is no terminal'],
  "EDITOR='code --wait' grite edit 3f2a91c": [2, 'there is no terminal'],
  'grite issue comment edit 1c9e4f7a': [2, 'there is no terminal'],
  'grite issue claim --next --label bug': [3, 'an earlier example has claimed the only one'],
  'grite issue claim 3f2a91c --remote --ttl 4h': [4, 'an earlier example holds it'],
  'grite issue dep add 3f2a91c --target 77bc01d --type blocks': [2, 'the example before states the opposite'],
  'grite issue attachment get 3f2a91c crash.log': [4, 'the file is there'],
  'grite undo 1c9e4f7a': [4, 'the examples before have undone it'],
  'grite stream branch chat/thread-1 chat@7 --label kind=thread --reason "about the release"': [3, 'there is no chat'],
  'grite stream merge build/42 build/42-retry --policy fast-forward --reason "the retry passed"': [4, 'both went on'],
  'grite stream merge chat chat/thread-1 --policy interleave --evidence classifier=resolved --preview': [3, 'no chat'],
  'grite stream merge report build/42@7 build/43 --policy recursive --create': [3, 'there is no build/43'],
  'grite stream verify-proof - --root 3c1f… < proof.json': [1, 'the root is another'],
  'grite stream cursor create build/42 indexer --offset 2': [4, 'the example before has created it'],
  'grite redo': [3, 'the last command was no undo'],
}

/** What an example needs to end soon, and to be about something that is here. */
const changed: readonly (readonly [from: RegExp, to: string])[] = [
  [/^grite watch(?!.*--count)/, 'grite watch --timeout 300ms'],
  [/^(grite stream tail \S+)(?= --fetch 1m$|$)/, '$1 --from -1 --count 1'],
  [/-f --fetch 1m$/, '-f --fetch 1m -o -1 -c 1'],
  [/--from beginning$/, '--from beginning --count 1'],
  [/-f -o end$/, '-f -o -1 -c 1'],
  [/^grite stream proof build\/42 7/, 'grite stream proof build/42 1'],
  [/^my-agent/, `echo '{"value":"started"}'`],
  [/--timeout 10m/, '--timeout 300ms'],
  [/<64 hex>/, 'ab'.repeat(32)],
  [/ \| dot -Tsvg/, ' | cat'],
  [/^make test 2>&1/, 'echo failed'],
  [/\/tmp\/c\.log/, '$HOME/c.log'],
]

/** Words of a line that a shell passes on as they are; undefined if it does more. Daemons need a process. */
function wordsOf(line: string): string[] | undefined {
  const [program, ...words] = line.match(/(?:'[^']*'|"[^"$`\\!]*"|[\w./:@%,=+-])+|\S/g) ?? []
  if (program !== 'grite' || words[0] === 'daemon') return undefined
  if (words.some((word) => /^[^\w./:@%,=+'"-]/.test(word))) return undefined
  return words.map((word) => word.replace(/'([^']*)'|"([^"]*)"/g, '$1$2'))
}

test('every example of every command runs as shown', (t) => {
  const { dir, environment, git } = createSandbox(t)
  const path = join(dir, 'repository')
  mkdirSync(join(dir, 'bin'))
  symlinkSync(gritePath, join(dir, 'bin/grite'))
  for (const folder of ['.zfunc', '.config/fish/completions']) mkdirSync(join(dir, 'home', folder), { recursive: true })
  for (const name of ['origin.git', 'backup.git']) git(dir, 'init', '-q', '--bare', name)
  git(dir, 'clone', '-q', 'origin.git', path)
  git(path, 'remote', 'add', 'backup', '../backup.git')
  mkdirSync(join(path, 'src'))
  writeFileSync(join(path, 'src/parser.ts'), 'export function parse() {}\n')
  git(path, 'add', 'src')
  for (const tag of ['v1.0', 'v1.1']) {
    git(path, 'commit', '-q', '--allow-empty', '-m', tag)
    git(path, 'tag', tag)
  }
  writeFileSync(join(path, 'crash.log'), 'trace')
  writeFileSync(join(path, 'build.log'), 'step 1\nstep 2\n')
  writeFileSync(join(path, 'notify.sh'), '#!/bin/sh\ncat > /dev/null\n')
  chmodSync(join(path, 'notify.sh'), 0o755)
  mkdirSync(join(path, '.beads'))
  cpSync(join(projectDir, 'fixtures/import/sample.jsonl'), join(path, '.beads/issues.jsonl'))

  const env = { ...environment, PATH: `${join(dir, 'bin')}:${environment.PATH}` }
  const shell = (line: string) => {
    const words = wordsOf(line)
    if (words !== undefined) return runInThread(words, { cwd: path, env, stdin: '' })
    return spawnSync('bash', ['-uo', 'pipefail', '-c', line], {
      ...{ cwd: path, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
    })
  }
  const dataOf = (line: string) => JSON.parse(shell(`${line} --json`).stdout).data
  const create = (words: string): string => dataOf(`grite new ${words}`).issue_id
  const [issue, other] = [create('One --label blocker --priority P0 --assignee ann'), create('Two')]
  const makeChange = (name: string): string =>
    /^issue comment (edit|hide|unhide)/.test(name)
      ? dataOf(`grite issue comment ${issue} --body "for ${name}"`).event_id
      : dataOf(`grite issue label add ${other} --label "of ${name}"`).event_id
  const actor: string = dataOf('grite actor current').actor_id
  const wrong: string[] = []
  const refs = () => git(path, 'for-each-ref')
  for (const { name, examples, effect } of commandLineCommands) {
    // `redo` needs a last command that is no undo.
    const needsChange = name === 'redo' || examples.some(({ command }) => command.includes('1c9e4f7a'))
    const change: string = needsChange ? makeChange(name) : ''
    // An example before has deleted it.
    if (/^stream (graph|diff|publish)$/.test(name))
      shell('grite stream show build/42 || seq 1 9 | grite produce build/42 --create')
    for (const { command } of examples) {
      let line = command.replaceAll('3f2a91c4', actor).replaceAll('3f2a91c', issue).replaceAll('77bc01d', other)
      line = line.replaceAll('1c9e4f7a', change)
      for (const [from, to] of changed) line = line.replace(from, to)
      const before = effect === 'reads' ? refs() : ''
      const { status, stderr } = shell(line)
      if (effect === 'reads' && refs() !== before) wrong.push(`${command}: reads, but changed refs`)
      const expected = others[command]?.[0] ?? 0
      if (status !== expected) wrong.push(`${command}: status ${status} instead of ${expected}\n${stderr}`)
    }
  }
  assert.deepEqual(wrong, [])
})
