/** A terminal through the daemon, which `script` of util-linux provides: colours and width, pager and editor. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onTerminal, program, skip } from '../support/terminal.ts'
import { createDaemonSandbox } from './daemon-process.ts'

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
