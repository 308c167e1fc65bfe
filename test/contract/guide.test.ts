/** Runs every command of the guide for agents, in order, in one of two clones that share a remote. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { formatGuide } from '../../src/tracker/agents/guide.ts'
import { createProcessClones, titlesIn } from '../sync/process-clones.ts'
import { gritePath } from './grite-process.ts'

/** The lines of shell blocks and the commands in backticks, in the order of the page. */
const lines = [...formatGuide(2).matchAll(/^```sh\n([\s\S]*?)^```$|`(grite [^`\n]+)`/gm)].flatMap(
  ([, piece, inText = '']) => (piece === undefined ? [inText] : piece.trimEnd().split('\n')),
)

const setup = createProcessClones({ after })
const [ann, bo] = [setup.clone('ann'), setup.clone('bo')]
/** Values of the placeholders in the guide. */
const ids = { '<issue>': '', '<other>': '', '<key>': 'the-parser-keeps-comments-see-its-tests' }

let crash = ''

before(() => {
  mkdirSync(join(ann.dir, 'bin'))
  symlinkSync(gritePath, join(ann.dir, 'bin/grite'))
  for (const clone of [ann, bo]) clone.git(clone.path, 'config', 'user.name', clone === ann ? 'Ann' : 'Bo')
  crash = bo.create('Crash on start', '--priority=P1')
  ids['<other>'] = bo.create('Release', '--priority=P3')
  bo.create('Rename a thing', '--priority=P2')
  bo.data('sync')
  ann.data('init')
})

function shell(text: string) {
  const { PATH = '', ...environment } = ann.environment
  return spawnSync('bash', ['-euo', 'pipefail', '-c', text], {
    cwd: ann.path,
    env: { ...environment, PATH: `${join(ann.dir, 'bin')}:${PATH}` },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

function filled(text: string): string {
  return Object.entries(ids).reduce((left, [name, id]) => left.replaceAll(name, id), text)
}

test('the guide for agents shows only grite commands, at least 30', () => {
  assert.ok(lines.length >= 30, String(lines.length))
  assert.deepEqual(
    lines.filter((line) => !line.startsWith('grite ')),
    [],
  )
})

for (const line of lines) {
  test(`the guide's command succeeds: ${line}`, () => {
    const { status, stdout, stderr } = shell(filled(line))
    assert.deepEqual([status, stderr], [0, ''], stdout)
    // As the guide says: go on with the issue that was claimed.
    ids['<issue>'] = /^Claimed (\S+)/m.exec(stdout)?.[1] ?? ids['<issue>']
    if (line.includes('--json')) assert.equal(JSON.parse(stdout).ok, true)
  })
}

test('the other clone receives the changes made with the guide', () => {
  bo.data('sync')
  const titles = titlesIn(bo)
  for (const title of ['Error message names no file', 'Crash on start']) assert.ok(titles.includes(title), title)
  const { issue } = bo.data('issue', 'show', crash)
  assert.deepEqual([issue.state, issue.comment_count], ['closed', 2])
  assert.deepEqual(bo.data('recall').memories, [])
})
