import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { beginMarker, endMarker, planSection } from '../../../src/tracker/agents/managed-section.ts'

const begin = beginMarker
const end = endMarker

/** The text after the plan, or the action when the file stays. */
function outcomeOf(file: string | null, section = 'new\n'): string {
  const plan = planSection(file === null ? null : Buffer.from(file), section)
  return 'bytes' in plan ? `${plan.action}: ${Buffer.from(plan.bytes).toString()}` : plan.action
}

describe('managed sections', () => {
  const cases: readonly (readonly [name: string, file: string | null, outcome: string])[] = [
    ['a missing file is created with the section', null, `created: ${begin}\nnew\n${end}\n`],
    ['an empty file gets the section', '', `updated: ${begin}\nnew\n${end}\n`],
    ['the section is appended after an empty line', 'text\n', `updated: text\n\n${begin}\nnew\n${end}\n`],
    ['an existing empty line is used before the section', 'text\n\n', `updated: text\n\n${begin}\nnew\n${end}\n`],
    ['a missing final line end stays missing', 'text', `updated: text\n\n${begin}\nnew\n${end}`],
    ['CRLF line ends are kept', 'a\r\nb\r\n', `updated: a\r\nb\r\n\r\n${begin}\r\nnew\r\n${end}\r\n`],
    ['an old section is replaced in place', `a\n${begin}\nold\n${end}\nz`, `updated: a\n${begin}\nnew\n${end}\nz`],
    ['an empty section is filled', `${begin}\n${end}\n`, `updated: ${begin}\nnew\n${end}\n`],
    ['an equal section is unchanged', `a\n${begin}\nnew\n${end}\nz\n`, 'unchanged'],
    ['an equal section with CRLF line ends is unchanged', `${begin}\r\nnew\r\n${end}\r\n`, 'unchanged'],
    [
      'indented markers keep their indentation',
      `  ${begin}\nold\n  ${end} \n`,
      `updated: ${'  '}${begin}\nnew\n${end} \n`,
    ],
    ['a section of another tool is skipped', 'a\n## Grite\nold\n', 'skipped'],
    [
      'markers within a line are ignored',
      `see ${begin} and ${end}\n`,
      `updated: see ${begin} and ${end}\n\n${begin}\nnew\n${end}\n`,
    ],
    ['a begin marker without an end is refused', `${begin}\nold\n`, 'refused'],
    ['an end marker without a begin is refused', `old\n${end}\n`, 'refused'],
    ['markers in the wrong order are refused', `${end}\n${begin}\n`, 'refused'],
    ['two sections are refused', `${begin}\n${end}\n${begin}\n${end}\n`, 'refused'],
    ['two begin markers are refused', `${begin}\n${begin}\n${end}\n`, 'refused'],
    ['a binary file is refused', 'a\0b', 'refused'],
  ]
  for (const [name, file, outcome] of cases) it(name, () => assert.equal(outcomeOf(file), outcome))

  it('a refusal names the unpaired marker', () => {
    const plan = planSection(Buffer.from(`${begin}\n`), 'new\n')
    assert.equal('reason' in plan && plan.reason, `it has '${begin}' without the other`)
  })

  it('planning keeps all bytes around the section and is idempotent', () => {
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
