import assert from 'node:assert/strict'
import { test } from 'node:test'
import stringWidth from 'string-width'
import { cutToWidth, truncate, truncateProse, wrapWords } from '../../../src/cli/render/display-width.ts'
import { openStyle, plainStyle } from '../../../src/cli/render/style.ts'
import { type Column, renderTable } from '../../../src/cli/render/table.ts'

type Row = readonly [id: string, title: string, tags: string]

const columns: readonly Column<Row>[] = [
  { heading: 'ID', text: ([id]) => id },
  { heading: 'Title', text: ([, title]) => title, shrink: 1, widthMin: 8 },
  { heading: 'Tags', text: ([, , tags]) => tags, shrink: 2 },
]

const rows: readonly Row[] = [
  ['a1', 'Short', ''],
  ['b2', '日本語のとても長いタイトルです', 'größe, 日本'],
  ['c3', 'e\u0301te\u0301 👩‍💻 with\x1b[31m escape', 'x'],
]

test('table columns are as wide as their widest cell', async () => {
  const text = await renderTable([['a', 'one', 'x'] as const, ['bcd', 'two words', ''] as const], columns, {
    width: 80,
    style: plainStyle,
  })
  assert.equal(text, 'ID   Title      Tags\na    one        x\nbcd  two words\n')
})

test('wide and combining characters keep columns aligned', async () => {
  const text = await renderTable(rows, columns, { width: 80, style: plainStyle })
  assert.equal(
    text,
    [
      'ID  Title                           Tags',
      'a1  Short',
      'b2  日本語のとても長いタイトルです  größe, 日本',
      'c3  e\u0301te\u0301 👩‍💻 with\\x1b[31m escape      x',
      '',
    ].join('\n'),
  )
})

for (const width of [12, 20, 30, 40, 80, 120]) {
  test(`a table ${width} columns wide has no wider line`, async () => {
    const text = await renderTable(rows, columns, { width, style: plainStyle })
    for (const line of text.split('\n')) assert.ok(stringWidth(line) <= width, `${stringWidth(line)}: ${line}`)
  })
}

test('the column with the highest shrink value shrinks first', async () => {
  const text = await renderTable([['a1', 'A title', 'many, many, tags'] as const], columns, {
    width: 22,
    style: plainStyle,
  })
  assert.equal(text, 'ID  Title    Tags\na1  A title  many, ma…\n')
})

test('a column without any text is left out', async () => {
  assert.equal(
    await renderTable([['a', 'b', ''] as const], columns, { width: 80, style: plainStyle }),
    'ID  Title\na   b\n',
  )
})

test('colour sequences do not count towards column width', async () => {
  const style = await openStyle({}, true)
  const painted = columns.map((column) => ({ ...column, paint: style.bad }))
  const text = await renderTable([['a', 'b', 'c'] as const], painted, { width: 80, style })
  assert.equal(text.split('\n')[1], '\x1b[31ma\x1b[39m   \x1b[31mb\x1b[39m      \x1b[31mc\x1b[39m')
})

test('a table written to a pipe is untruncated, tab-separated and escaped', async () => {
  const text = await renderTable([['a', 'tab\there', 'x'.repeat(200)] as const], columns, {
    width: null,
    style: plainStyle,
  })
  assert.equal(text, `a\ttab\\there\t${'x'.repeat(200)}\n`)
})

test('truncation never splits a character', () => {
  assert.equal(truncate('日本語', 4, stringWidth), '日…')
  assert.equal(truncate('日本語', 5, stringWidth), '日本…')
  assert.equal(truncate('👩‍💻👩‍💻', 3, stringWidth), '👩‍💻…')
  assert.equal(truncate('e\u0301te\u0301s', 3, stringWidth), 'e\u0301t…')
  assert.equal(truncate('word word', 6, stringWidth), 'word…')
  assert.equal(truncate('abc', 0, stringWidth), '')
})

test('prose is cut between words', () => {
  const cut = (text: string, width: number) => truncateProse(text, width, stringWidth)
  assert.equal(cut('a bright idea', 20), 'a bright idea')
  assert.equal(cut('a bright idea', 12), 'a bright…')
  assert.equal(cut('a bright idea', 9), 'a bright…')
  assert.equal(cut('a bright idea', 8), 'a…')
  assert.equal(cut('brightness', 5), 'brig…')
  assert.equal(cut('see https://example.org/x', 10), 'see https…')
  assert.equal(cut('日本語の話', 5), '日本…')
})

test('prose is wrapped between words', () => {
  assert.deepEqual(wrapWords('a bright idea', 8, stringWidth), ['a bright', 'idea'])
  assert.deepEqual(wrapWords('a brightness', 5, stringWidth), ['a', 'brightness'])
  assert.deepEqual(cutToWidth('日本語の話', 5, stringWidth), ['日本', '語の', '話'])
  assert.deepEqual(cutToWidth('日', 1, stringWidth), ['日'])
})

test('a prose column is cut between words', async () => {
  const prose = columns.map((column) => (column.heading === 'Title' ? { ...column, isProse: true } : column))
  const text = await renderTable([['a1', 'A title of words', ''] as const], prose, { width: 14, style: plainStyle })
  assert.equal(text, 'ID  Title\na1  A title…\n')
})
