import assert from 'node:assert/strict'
import { test } from 'node:test'
import { escapeJson, escapeLine, escapeText } from '../../../src/cli/render/escape-for-terminal.ts'

const lines: readonly (readonly [title: string, stored: string, shown: string])[] = [
  ['plain text is unchanged', 'Crash on start (50%)', 'Crash on start (50%)'],
  ['letters of all scripts are unchanged', 'Grüße 日本語 עברית', 'Grüße 日本語 עברית'],
  ['a colour sequence is escaped', '\x1b[31mred', '\\x1b[31mred'],
  ['a terminal title sequence is escaped', '\x1b]0;owned\x07', '\\x1b]0;owned\\x07'],
  ['a hyperlink sequence is escaped', '\x1b]8;;http://x\x1b\\a', '\\x1b]8;;http://x\\x1b\\a'],
  ['a one-byte control sequence is escaped', '\x9b31m\x9d0;x\x9c', '\\x9b31m\\x9d0;x\\x9c'],
  ['backspace and delete are escaped', 'a\b\x7f', 'a\\x08\\x7f'],
  ['a null character is escaped', 'a\0b', 'a\\x00b'],
  ['line ends and tabs in one-line text are escaped', 'a\nb\r\nc\td', 'a\\nb\\r\\nc\\td'],
  ['bidirectional overrides are escaped', '\u202aa\u202eb\u202c', '\\u202aa\\u202eb\\u202c'],
  ['bidirectional isolates are escaped', '\u2066a\u2069', '\\u2066a\\u2069'],
  ['bidirectional marks are escaped', '\u200e\u200f\u061c', '\\u200e\\u200f\\u061c'],
  [
    'zero-width characters are escaped',
    'a\u200bb\u200cc\u200dd\ufeff\u2060',
    'a\\u200bb\\u200cc\\u200dd\\ufeff\\u2060',
  ],
  ['line separators are escaped', 'a\u2028b\u2029c\x85', 'a\\u2028b\\u2029c\\x85'],
  ['tag characters are escaped', 'a\u{e0041}', 'a\\u{e0041}'],
  ['fillers and soft hyphens are escaped', '\u3164\u00ad\u115f', '\\u3164\\xad\\u115f'],
  ['half a surrogate pair is escaped', 'a\ud800b', 'a\\ud800b'],
  ['emoji sequences are unchanged', '👩‍💻 ❤️ 👨‍👩‍👧 👍🏽', '👩‍💻 ❤️ 👨‍👩‍👧 👍🏽'],
  ['a joiner at the edge of an emoji is escaped', '👩\u200da', '👩\\u200da'],
]

for (const [title, stored, shown] of lines) {
  test(title, () => assert.equal(escapeLine(stored), shown))
}

test('bodies keep line ends and tabs as their only control characters', () => {
  assert.equal(escapeText('a\r\nb\n\tc\x1b[2J\rd\u202e'), 'a\nb\n\tc\\x1b[2J\\rd\\u202e')
})

test('no character that moves the cursor is left unescaped', () => {
  const all = Array.from({ length: 0x3100 }, (_, code) => String.fromCodePoint(code)).join('')
  assert.doesNotMatch(escapeLine(all), /[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f]/)
})

test('escaped JSON parses to an equal value without invisible characters', () => {
  const all = Array.from({ length: 0x3100 }, (_, code) => String.fromCodePoint(code)).join('')
  for (const value of [
    all,
    'tag \u{e0041}',
    '\ud800',
    '\udc00x',
    { [all]: [all] },
    ...lines.map(([, stored]) => stored),
  ]) {
    const json = JSON.stringify(value, null, 2)
    const shown = escapeJson(json)
    assert.deepEqual(JSON.parse(shown), JSON.parse(json))
    assert.doesNotMatch(shown, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u206f]/)
  }
  assert.equal(escapeJson('{"a":"Grüße \x9b \u202e 👩‍💻"}\n'), '{"a":"Grüße \\u009b \\u202e 👩‍💻"}\n')
})

test('JSON may be escaped in pieces split at any character', () => {
  const json = JSON.stringify('a \u{e0041} 🙂 \u{e0042}\x9b')
  for (let at = 0; at <= json.length; at++) {
    assert.equal(JSON.parse(escapeJson(json.slice(0, at)) + escapeJson(json.slice(at))), JSON.parse(json))
  }
})

test('escaping a hostile megabyte takes linear time', () => {
  const started = performance.now()
  for (const show of [escapeText, escapeJson]) {
    show('👩\ufe0f\u200d'.repeat(200_000))
    show('\ufe0f'.repeat(500_000) + '\u200d'.repeat(500))
  }
  // Looking back over the text at every position would take many minutes; a linear scan takes a tenth of a second.
  assert.ok(performance.now() - started < 60_000)
})
