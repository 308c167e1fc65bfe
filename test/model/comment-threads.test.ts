import assert from 'node:assert/strict'
import { test } from 'node:test'
import { threadComments } from '../../src/model/index.ts'

/** `b<a` is comment b, a reply to a. */
function thread(...comments: readonly string[]): string[] {
  const given = comments.map((text) => {
    const [event_id = '', parent = null] = text.split('<')
    return { event_id, parent }
  })
  return threadComments(given).map(({ comment, depth, orphaned }) => {
    return `${'-'.repeat(depth)}${comment.event_id}${orphaned ? '?' : ''}`
  })
}

test('replies follow their comment in the order given', () => {
  assert.deepEqual(thread('a', 'b', 'c<a', 'd<b', 'e<a', 'f<c'), ['a', '-c', '--f', '-e', 'b', '-d'])
})

test('a reply dated before its parent still follows it', () => {
  assert.deepEqual(thread('b<a', 'a'), ['a', '-b'])
})

test('a reply to an unknown comment starts a thread', () => {
  assert.deepEqual(thread('a', 'b<x', 'c<b'), ['a', 'b?', '-c'])
})

test('a thread may be as deep as it has comments', () => {
  const chain = Array.from({ length: 100_000 }, (_, index) => ({ event_id: `${index}`, parent: `${index - 1}` }))
  assert.equal(threadComments(chain).at(-1)?.depth, 99_999)
})
