/** A terminal through the daemon, which `script` of util-linux provides: colours and width, pager and editor. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gritePath } from '../contract/grite-process.ts'
import { createDaemonSandbox, type DaemonSandbox } from './daemon-process.ts'

const hasScript = spawnSync('script', ['-qec', 'true', '/dev/null'], { input: '' }).status === 0
const skip = hasScript ? false : '`script` of util-linux is missing'

const quote = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`

/** Runs grite on a terminal of 100 columns and 20 lines. */
function onTerminal(place: DaemonSandbox, env: Readonly<Record<string, string>>, ...words: readonly string[]) {
  const command = `stty cols 100 rows 20; ${[process.execPath, gritePath, ...words].map(quote).join(' ')}`
  const { status, stdout } = spawnSync('script', ['-qec', command, '/dev/null'], {
    cwd: place.path,
    env: { ...place.environment, TERM: 'xterm', SHELL: '/bin/sh', ...env },
    input: '',
    encoding: 'utf8',
    timeout: 30_000,
  })
  return { status, text: stdout.replaceAll('\r\n', '\n') }
}

function program(place: DaemonSandbox, name: string, body: string): string {
  const file = join(place.dir, name)
  writeFileSync(file, `#!/bin/sh\n${body}\n`)
  chmodSync(file, 0o755)
  return file
}

test('colours and width are those of the terminal of the caller', { skip }, async (t) => {
  const place = createDaemonSandbox(t)
  place.create(
    'A title that is much longer than what a terminal of a hundred columns can show in one line of it',
    '--label=bug',
  )
  await place.started()
  const settings: readonly Record<string, string>[] = [{}, { NO_COLOR: '1' }, { COLUMNS: '60' }]
  for (const env of settings) {
    const here = onTerminal(place, env, 'list', '--no-daemon')
    const served = await place.countServed(() => assert.deepEqual(onTerminal(place, env, 'list'), here))
    assert.equal(served, 1, JSON.stringify(env))
  }
})

test('a pager and an editor run in the process of the caller', { skip }, async (t) => {
  const place = createDaemonSandbox(t)
  const operations = Array.from({ length: 40 }, (_, index) => `{"op":"create","title":"Issue ${index}"}`)
  assert.equal(place.griteWith({ stdin: operations.join('\n') }, 'batch').status, 0)
  await place.started()
  const pager = program(place, 'pager', 'echo "paged $1"; head -1 >/dev/null; exit 3')
  assert.deepEqual(onTerminal(place, { PAGER: `${pager} -x` }, 'list'), { status: 0, text: 'paged -x\n' })
  const editor = program(place, 'editor', `tty > '${place.dir}/tty'; printf 'Typed title\\n' > "$1"`)
  const { status, text } = onTerminal(place, { EDITOR: editor }, 'new')
  assert.equal(status, 0, text)
  assert.equal(place.data('search', 'Typed').total, 1)
  const failing = onTerminal(place, { EDITOR: 'false' }, 'new')
  assert.equal(failing.status, 2)
  assert.match(failing.text, /editor 'false' exited with status 1; nothing was changed/)
})
