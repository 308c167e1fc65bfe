import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { currentBody, type EventId, emptyIssueState, textsIn } from '../../src/model/index.ts'
import { formatIssueState } from '../../src/model/issue-state-codec.ts'
import { StateText } from '../../src/view/state-text.ts'
import { theIssue } from '../model/arbitraries.ts'
import { anyCharacter } from '../support/any-character.ts'

function stateWith(body: string): StateText {
  const version = { tsUnixMs: 1, actor: theIssue as never, eventId: 'e'.repeat(64) as EventId }
  const creation = { version, title: 'Title', body, labels: [] }
  return new StateText(formatIssueState({ ...emptyIssueState(theIssue), creation }))
}

test('a state text knows its issue without parsing', () => {
  const state = stateWith('A body')
  assert.equal(state.issueId, theIssue)
  assert.equal(currentBody(state.parse()), 'A body')
  assert.deepEqual([state.mayHold('a bod'), state.mayHold('other')], [true, false])
})

test('a state text never denies a text that the body holds', () => {
  const piece = fc.oneof(
    fc.constantFrom('a', 'Ä', 'İ', 'Σ', 'σ', 'ς', '"', '\\', '\n', '\u2028', '\ud800', '\u{1f469}', ' '),
    fc.string({ unit: anyCharacter, maxLength: 3 }),
  )
  const pieces = fc.array(piece, { minLength: 1, maxLength: 4 }).map((all) => all.join(''))
  fc.assert(
    fc.property(pieces, pieces, pieces, (before, wanted, after) => {
      const body = before + wanted + after
      const [found] = textsIn(body, [wanted.toLowerCase()])
      if (found !== undefined) assert.ok(stateWith(body).mayHold(found), JSON.stringify([before, wanted, after]))
    }),
    { numRuns: 1000 },
  )
})
