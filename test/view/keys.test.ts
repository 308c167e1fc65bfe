/** Keys that are made from one text have the bytes of their parts joined. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IssueId } from '../../src/model/index.ts'
import { assigneeKey, issueRowKey, issueStateKey, labelKey, stateKey } from '../../src/view/keys.ts'

const ids = ['00'.repeat(16), 'ff80'.repeat(8), '7f20c3a4'.repeat(4)] as IssueId[]

const joined = (head: string, ...hex: readonly string[]) =>
  Buffer.concat([Buffer.from(head, 'utf8'), ...hex.map((text) => Buffer.from(text, 'hex'))])

test('a key has the UTF-8 bytes of its text and the bytes of its id', () => {
  for (const id of ids) {
    assert.deepEqual(issueStateKey(id), joined('issue_state/', id))
    assert.deepEqual(issueRowKey(id), joined('issue_row/', id))
    for (const text of ['', 'bug', 'area:x y', 'a\0b', '\x7f', '\x80', 'ä', '€', '😀', '\ud800']) {
      assert.deepEqual(labelKey(text, id), joined(`label_index/${text}\0`, id), text)
      assert.deepEqual(assigneeKey(text, id), joined(`assignee_index/${text}\0`, id), text)
    }
  }
})

test('the time in a key is big-endian', () => {
  const times = {
    '0000000000000000': 0,
    '0000018bcfe56800': 1_700_000_000_000,
    '00038d7ea4c68000': 1_000_000_000_000_000,
  }
  for (const [hex, time] of Object.entries(times)) {
    for (const id of ids) assert.deepEqual(stateKey('closed', time, id), joined('state_index/closed/', hex, id))
  }
})
