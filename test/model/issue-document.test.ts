import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatIssueDocument, parseIssueDocument } from '../../src/model/index.ts'
import { documentKeys } from '../../src/model/issue-document.ts'
import { text } from './arbitraries.ts'

const guidance = ['Guidance', 'state: closed']

/** Words and texts that look like other parts of a document. */
const strange = fc.constantFrom(
  '---',
  '# x',
  'state: open',
  '"',
  '\\',
  'a, b',
  ' a ',
  '\u2028',
  '\u{41}',
  '"a"',
  ',',
  '-',
)
const word = fc.oneof(strange, text).filter((each) => each !== '')
const line = fc.oneof(strange, text).map((each) => each.replaceAll(/[\n\v\f\r\u0085\u2028\u2029]/g, ' ').trim())
const body = fc.array(fc.oneof(strange, text), { maxLength: 5 }).map((lines) => lines.join('\n').trimEnd())
const single = fc.array(word, { maxLength: 1 })
const document = fc.record({
  title: line.filter((each) => each !== ''),
  body,
  values: fc.record(
    Object.fromEntries(
      documentKeys.map((key) => [
        key,
        key === 'labels' || key === 'assignees' ? fc.array(word, { maxLength: 4 }) : single,
      ]),
    ),
    { requiredKeys: [] },
  ),
})

test('a formatted document parses to the same document', () => {
  fc.assert(
    fc.property(document, (given) => {
      const { title, body, values } = parseIssueDocument(formatIssueDocument(given, guidance))
      assert.deepEqual(structuredClone({ title, body, values }), structuredClone(given))
    }),
  )
})

test('a document survives Windows line ends and blank lines', () => {
  const given = { title: 'Crash', body: 'a\n\n---\nstate: open', values: { state: ['open'], labels: ['bug', 'ui'] } }
  const formatted = formatIssueDocument(given, guidance)
  for (const changed of [formatted, formatted.replaceAll('\n', '\r\n'), `\n\n${formatted}\n\n`, `\uFEFF${formatted}`]) {
    const { title, body, values } = parseIssueDocument(changed)
    assert.deepEqual({ title, body, values }, given)
  }
})

test('a document may be written by hand', () => {
  const written = '---\n\nLabels : bug,  "a, b" ,,ui\nstatus:in review\n  # note\n--- \n\n\n Crash \nText\n'
  const { lineOf, ...rest } = parseIssueDocument(written)
  assert.deepEqual(rest, {
    title: 'Crash',
    body: 'Text',
    values: { labels: ['bug', 'a, b', 'ui'], status: ['in review'] },
  })
  assert.deepEqual(lineOf, { labels: 3, status: 4, title: 9 })
})

test('a fault in a document names its line', () => {
  for (const [written, line, message] of [
    ['Title', 1, /expected ---/],
    ['\n---\nstate: open\nTitle', 2, /no closing ---/],
    ['---\nstate: open\ncolour: red\n---\nT', 3, /no field 'colour'; use one of state, labels, /],
    ['---\nurgent\n---\nT', 2, /expected a field .*got 'urgent'/],
    ['---\ndue:\ndue: friday\n---\nT', 3, /due is given twice/],
    ['---\nlabels: a, "b\n---\nT', 2, /labels has a quote that is not closed/],
    ['---\nlabels: "a" b\n---\nT', 2, /labels has text after a closing quote/],
    ['---\n---\n\n', 3, /title must not be empty/],
  ] as const) {
    assert.throws(
      () => parseIssueDocument(written),
      (error: Error & { readonly details?: { readonly line?: number } }) => {
        assert.match(error.message, new RegExp(`^line ${line}: `), written)
        assert.match(error.message, message)
        return error.details?.line === line
      },
    )
  }
})
