import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openStyle, wantsColor } from '../../../src/cli/render/style.ts'

const cases: readonly (readonly [env: Record<string, string>, onTerminal: boolean, offTerminal: boolean])[] = [
  [{}, true, false],
  [{ NO_COLOR: '' }, true, false],
  [{ NO_COLOR: '1' }, false, false],
  [{ NO_COLOR: '1', CLICOLOR_FORCE: '1' }, false, false],
  [{ CLICOLOR: '0' }, false, false],
  [{ CLICOLOR: '1' }, true, false],
  [{ CLICOLOR_FORCE: '1' }, true, true],
  [{ CLICOLOR_FORCE: '0' }, true, false],
  [{ CLICOLOR_FORCE: '1', CLICOLOR: '0' }, true, true],
  [{ TERM: 'dumb' }, false, false],
]

for (const [env, onTerminal, offTerminal] of cases) {
  test(`decides on colours from the environment ${JSON.stringify(env)}`, () => {
    assert.equal(wantsColor(env, true), onTerminal)
    assert.equal(wantsColor(env, false), offTerminal)
  })
}

test('a style without colours changes no text', async () => {
  assert.equal((await openStyle({}, false)).bad('x'), 'x')
})

test('a style with colours wraps the text', async () => {
  assert.equal((await openStyle({}, true)).bad('x'), '\x1b[31mx\x1b[39m')
})
