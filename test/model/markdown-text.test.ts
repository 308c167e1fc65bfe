import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { demoteMarkdown, escapeMarkdownLine } from '../../src/model/index.ts'

describe('a line of Markdown escapes', () => {
  const table: readonly (readonly [text: string, escaped: string])[] = [
    ['Fix #12 in snake_case a < b', 'Fix #12 in snake_case a < b'],
    ['a *b* `c` [d](e) |', 'a \\*b\\* \\`c\\` \\[d\\](e) \\|'],
    ['_x_ <b> &lt; ~~y~~ \\', '\\_x\\_ \\<b> \\&lt; \\~~y\\~~ \\\\'],
    ['# x #', '\\# x \\#'],
    ['#', '\\#'],
    ['- x', '\\- x'],
    ['1. x', '1\\. x'],
    ['a\n\n# b', 'a # b'],
  ]
  for (const [text, escaped] of table) test(JSON.stringify(text), () => assert.equal(escapeMarkdownLine(text), escaped))
})

describe('Markdown on a page', () => {
  const demoted = (text: string) => demoteMarkdown(text, 3).join('\n')

  test('has its headings below those of the page', () => {
    assert.equal(demoted('# A\n#### B\n- ## C\n<h2>D</h2>\n#no'), '#### A\n###### B\n- ##### C\n<h5>D</h5>\n#no')
  })

  test('has underlined headings as one line with marks', () => {
    assert.equal(demoted('A\n===\n\ntwo\nlines\n---\n\n---\n- x\n---'), '#### A\n\n##### two lines\n\n---\n- x\n\n---')
  })

  test('keeps code blocks as they are', () => {
    const code = '```sh\n# a\nb\n---\n````\n\n1. ~~~\n   # c\n   ~~~\n- ```\n  # d'
    assert.equal(demoted(`${code}\n# E`), `${code}\n#### E`)
  })

  const open = {
    'a code block': '```\n# x',
    'a code block of tildes': '~~~~\nx\n~~~',
    'a comment': 'a <!-- b',
    'an element': '<details>\n<summary>x</summary>',
    'an element of a page around it': 'x</div>',
  }
  for (const [what, text] of Object.entries(open)) {
    test(`is quoted where it leaves ${what} open`, () => {
      for (const line of demoteMarkdown(text, 3)) assert.match(line, /^>/)
    })
  }

  const doubtful = {
    'a declaration': '<!X',
    'a list item that ends in a code block': '- x\n  ```\n  c\n# h\n  ```',
    'marks of code in an element': '<div>\n```\n</div>\n\n# h\n```',
    'marks of code indented like code': '  ```\n    ```',
    'an element that keeps empty lines, and a code block': '<pre>\n\n```\n</pre>\n# h\n```',
  }
  for (const [what, text] of Object.entries(doubtful)) {
    test(`is quoted where readers may differ: ${what}`, () => {
      for (const line of demoteMarkdown(text, 3)) assert.match(line, /^>/)
    })
  }

  test('has no underlined headings that it could not convert', () => {
    assert.equal(demoted('text\n    more\n==='), 'text\n    more\n\n===')
    assert.equal(demoted('    # code'), '    # code')
  })

  test('is not quoted for what it closes, or shows as code', () => {
    for (const text of ['<details>x</details>', '<!-- x -->', '`<div>`', '```\n<!--\n```']) {
      assert.equal(demoted(text), text)
    }
  })
})
