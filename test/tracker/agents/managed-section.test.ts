import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { beginMarker, endMarker, planSection } from '../../../src/tracker/agents/managed-section.ts'

const begin = beginMarker
const end = endMarker

/** What a file of this text becomes, as text; the action when it stays. */
function outcomeOf(file: string | null, section = 'new\n'): string {
  const plan = planSection(file === null ? null : Buffer.from(file), section)
  return 'bytes' in plan ? `${plan.action}: ${Buffer.from(plan.bytes).toString()}` : plan.action
}

describe('a section between markers', () => {
  const cases: readonly (readonly [name: string, file: string | null, outcome: string])[] = [
    ['makes a file', null, `created: ${begin}\nnew\n${end}\n`],
    ['fills an empty file', '', `updated: ${begin}\nnew\n${end}\n`],
    ['goes behind an empty line', 'text\n', `updated: text\n\n${begin}\nnew\n${end}\n`],
    ['uses an empty line that is there', 'text\n\n', `updated: text\n\n${begin}\nnew\n${end}\n`],
    ['keeps a missing final line end', 'text', `updated: text\n\n${begin}\nnew\n${end}`],
    ['keeps line ends of two characters', 'a\r\nb\r\n', `updated: a\r\nb\r\n\r\n${begin}\r\nnew\r\n${end}\r\n`],
    ['is replaced in place', `a\n${begin}\nold\n${end}\nz`, `updated: a\n${begin}\nnew\n${end}\nz`],
    ['is filled when it is empty', `${begin}\n${end}\n`, `updated: ${begin}\nnew\n${end}\n`],
    ['stays when nothing differs', `a\n${begin}\nnew\n${end}\nz\n`, 'unchanged'],
    ['takes the line ends of the file', `${begin}\r\nnew\r\n${end}\r\n`, 'unchanged'],
    [
      'keeps the indentation of its markers',
      `  ${begin}\nold\n  ${end} \n`,
      `updated: ${'  '}${begin}\nnew\n${end} \n`,
    ],
    ['leaves a section of another tool alone', 'a\n## Grite\nold\n', 'skipped'],
    [
      'is no marker within a line',
      `see ${begin} and ${end}\n`,
      `updated: see ${begin} and ${end}\n\n${begin}\nnew\n${end}\n`,
    ],
    ['refuses a begin without an end', `${begin}\nold\n`, 'refused'],
    ['refuses an end without a begin', `old\n${end}\n`, 'refused'],
    ['refuses markers in the wrong order', `${end}\n${begin}\n`, 'refused'],
    ['refuses two sections', `${begin}\n${end}\n${begin}\n${end}\n`, 'refused'],
    ['refuses two begins', `${begin}\n${begin}\n${end}\n`, 'refused'],
    ['refuses what is no text', 'a\0b', 'refused'],
  ]
  for (const [name, file, outcome] of cases) it(name, () => assert.equal(outcomeOf(file), outcome))

  it('says why it refuses', () => {
    const plan = planSection(Buffer.from(`${begin}\n`), 'new\n')
    assert.equal('reason' in plan && plan.reason, `it has '${begin}' without the other`)
  })

  it('keeps every byte around it, whatever their encoding, and then has nothing to do', () => {
    const plainBytes = fc.uint8Array({ maxLength: 40, min: 1 })
    const lineBytes = fc.array(fc.constantFrom(10, 13, 32, 120), { maxLength: 8 }).map((all) => Uint8Array.from(all))
    const bytes = fc.oneof(plainBytes, lineBytes)
    fc.assert(
      fc.property(bytes, bytes, fc.boolean(), (before, behind, isThere) => {
        const old = Buffer.from(isThere ? `\n${begin}\nold\n${end}\n` : '')
        const plan = planSection(Buffer.concat([before, old, behind]), 'new … text\n')
        assert.ok('bytes' in plan)
        const after = Buffer.from(plan.bytes)
        assert.deepEqual(after.subarray(0, before.length), Buffer.from(before))
        if (isThere) assert.deepEqual(after.subarray(after.length - behind.length), Buffer.from(behind))
        assert.deepEqual(planSection(after, 'new … text\n'), { action: 'unchanged' })
      }),
    )
  })
})
