/** What an editor may leave behind; a test on a terminal is in test/contract/terminal.test.ts. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { editText } from '../../src/cli/edit-text.ts'

function setUp(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'grite-edit-text-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const kept: string[] = []
  const edit = (editor: string) => {
    const facts = {
      env: { PATH: process.env.PATH, GIT_EDITOR: editor },
      cwd: () => folder,
      stderr: { write: async () => {} },
      onInterrupt: () => () => {},
      leaveInterrupts: () => () => {},
    }
    const keep = (path: string) => void kept.push(path)
    return editText(facts as unknown as Parameters<typeof editText>[0], true, {
      draft: 'draft',
      chooseFolder: async () => folder,
      keep,
    })
  }
  return { folder, kept, edit }
}

test('an editor that removes its file changes nothing', async (t) => {
  const { folder, edit } = setUp(t)
  await assert.rejects(edit('rm'), { code: 'invalid_args', message: /the editor 'rm' removed .*; nothing was changed/ })
  assert.deepEqual(readdirSync(folder), [])
})

test('a text that is not UTF-8 is kept, and refused', async (t) => {
  const { kept, edit } = setUp(t)
  const editor = `write() { printf 'caf\\351' > "$1"; }; write`
  await assert.rejects(edit(editor), { code: 'invalid_args', message: /the text is not UTF-8; nothing was changed/ })
  const [path = ''] = kept
  assert.ok(existsSync(path))
  assert.deepEqual(readFileSync(path), Buffer.from('caf\xe9', 'latin1'))
})
