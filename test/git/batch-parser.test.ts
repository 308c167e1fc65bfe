import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createBatchParser } from '../../src/git/native/batch-parser.ts'

const oid = (digit: string) => digit.repeat(40)
const answers = Buffer.from(
  [
    `${oid('1')} commit 5\nab\ncd\n`,
    `${oid('2')} tree 0\n\n`,
    `${oid('3')} missing\n`,
    `${oid('4')} blob 12\nlong content\n`,
    `${oid('5')} tag 1\nx\n`,
    `${oid('6')} blob 3\nend\n`,
  ].join(''),
)

function parse(pieces: readonly Buffer[]): { seen: string[]; answered: number } {
  const seen: string[] = []
  const parser = createBatchParser('sha1', {
    contentMax: (type) => (type === 'blob' ? 11 : 100),
    found: (id, type, content) => seen.push(`${id[0]} ${type} ${content}`),
    tooLarge: (id, type, size) => seen.push(`${id[0]} ${type} of ${size}`),
    missing: (id) => seen.push(`${id[0]} missing`),
  })
  for (const piece of pieces) parser.push(piece)
  return { seen, answered: parser.answered() }
}

const expected = ['1 commit ab\ncd', '2 tree ', '3 missing', '4 blob of 12', '5 tag x', '6 blob end']

describe('the parser of cat-file answers', () => {
  it('parses cat-file answers that arrive in one piece', () => {
    assert.deepEqual(parse([answers]), { seen: expected, answered: 6 })
  })

  it('parses cat-file answers split at any byte', () => {
    for (let first = 0; first <= answers.length; first++) {
      for (const second of [first, first + 1, first + 7, answers.length]) {
        const pieces = [answers.subarray(0, first), answers.subarray(first, second), answers.subarray(second)]
        assert.deepEqual(parse(pieces).seen, expected, `cut at ${first} and ${second}`)
      }
    }
    assert.deepEqual(parse([...answers].map((byte) => Buffer.from([byte]))).seen, expected)
  })
})
