/** The file with the whole list as text: with its changes, it is the list that is made from the rows, or it is not used. */
import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import type { IssueId } from '../../src/model/index.ts'
import { changedRowsMax, changeList, encodeList, formatRowsAgain, readList } from '../../src/view/list-file.ts'
import { claimIn, extendText, issueIdIn } from '../../src/view/row-text.ts'
import { listWhole } from '../../src/view/whole-list.ts'
import { createSandbox } from '../git/temp-repository.ts'
import { anyCharacter } from '../support/any-character.ts'

const { dir } = createSandbox({ after })
const path = join(mkdtempSync(join(dir, 'list-')), 'rows.list')
const state = { head: 'a'.repeat(40), reflogMark: 'mark' }

interface Row {
  readonly issue_id: string
  readonly title: string
  readonly state: string
  readonly created_ts: number
}

const textOf = ({ issue_id, title, state: word, created_ts }: Row) =>
  JSON.stringify({ issue_id, title, state: word, created_ts, fields: {} })

/** Texts by id, as a view has them. */
const textsOf = (rows: ReadonlyMap<string, Row>) => [...rows.keys()].sort().map((id) => textOf(rows.get(id) as Row))

const idOf = (start: string) => start.padEnd(32, '0') as IssueId

function read(rows: ReadonlyMap<string, Row>) {
  writeFileSync(path, encodeList('6', state, textsOf(rows)).bytes)
  const list = readList(path, '6', state)
  assert.ok(list !== undefined)
  return list
}

function expected(rows: ReadonlyMap<string, Row>) {
  const { blocks, count, openCount } = listWhole(textsOf(rows), 7)
  const json = blocks.flatMap(({ texts, shortIds }) =>
    texts.map((text, index) => extendText(text, shortIds[index] as string)),
  )
  return { json: json.join(','), count, openCount }
}

const title = fc.oneof(
  fc.array(anyCharacter, { maxLength: 5 }).map((characters) => characters.join('')),
  fc.constantFrom(',{"issue_id":"00', '"created_ts":9', ',"short_id":"x","claim":null}', '"state":"open"'),
)
/** Some begin alike. */
const id = fc.constantFrom('0a', 'ff', '1234567', '12345678', '123456789', 'c0', 'c1', 'c2').map(idOf)
const row = fc.record({
  issue_id: id,
  title,
  state: fc.constantFrom('open', 'closed'),
  created_ts: fc.constantFrom(1, 2, 3, 1.7e12, 1.8e12),
})
const rowsById = (list: readonly Row[]) => new Map(list.map((each) => [each.issue_id, each] as const))

test('a list with changes is the one that is made from the changed rows', () => {
  let used = 0
  const change = fc.oneof({ weight: 9, arbitrary: row }, { weight: 1, arbitrary: id })
  fc.assert(
    fc.property(fc.array(row, { maxLength: 6 }), fc.array(change, { maxLength: 3 }), (base, changes) => {
      const before = rowsById(base)
      const next = new Map<string, Row>(before)
      const texts = new Map<string, string | undefined>()
      for (const each of changes) {
        const isGone = typeof each === 'string'
        const issueId = isGone ? each : each.issue_id
        if (isGone) next.delete(issueId)
        else next.set(issueId, each)
        texts.set(issueId, isGone ? undefined : textOf(each))
      }
      const list = read(before)
      assert.deepEqual({ ...list, json: `${list.json}` }, expected(before))
      const changed = changeList(list, texts)
      if (changed === undefined) return
      used += 1
      assert.deepEqual({ ...changed, json: `${changed.json}` }, expected(next))
    }),
    { numRuns: 1000 },
  )
  assert.ok(used > 100, `${used}`)
})

test('changed titles and states and new issues are put in; anything that moves other rows is not', () => {
  const base = [idOf('0a'), idOf('1234567'), idOf('c0')].map(
    (issue_id, index): Row => ({ issue_id, title: 'é', state: 'open', created_ts: 10 + index }),
  )
  const list = read(rowsById(base))
  const [first] = base as [Row]
  const changesOf = (...rows: readonly Row[]) => new Map(rows.map((each) => [each.issue_id, textOf(each)]))
  const newRow = (start: string, created_ts: number): Row => ({ ...first, issue_id: idOf(start), created_ts })
  const isUsed = (...rows: readonly Row[]) => changeList(list, changesOf(...rows)) !== undefined
  assert.ok(isUsed({ ...first, title: 'longer', state: 'closed' }))
  assert.ok(isUsed(newRow('d', 13), newRow('e', 12), { ...first, state: 'closed' }))
  assert.ok(!isUsed(newRow('d', 11)), 'an older issue')
  assert.ok(!isUsed({ ...first, created_ts: 9 }), 'another time of creation')
  assert.ok(!isUsed(newRow('12345678', 13)), 'an id that begins like another')
  assert.ok(!isUsed(newRow('12345670a', 13)), 'an id that begins like another')
  assert.ok(!isUsed(newRow('d0', 13), newRow('d00000001', 14)), 'new ids that begin alike')
  assert.equal(changeList(list, new Map([[first.issue_id, undefined]])), undefined)
  const many = Array.from({ length: changedRowsMax + 1 }, (_, index) => newRow(`e${index}`.padEnd(8, 'f'), 20 + index))
  assert.ok(!isUsed(...many))
  assert.ok(isUsed(...many.slice(1)))
})

test('claims are put into the rows of their issues', () => {
  const base = [idOf('0a'), idOf('c0')].map(
    (issue_id, index): Row => ({ issue_id, title: ',"claim":null}', state: 'open', created_ts: index }),
  )
  const { json } = read(rowsById(base))
  const claimed = formatRowsAgain(json, [idOf('c0'), idOf('dd')], (listed) =>
    claimIn(listed, `{"by":"${issueIdIn(listed)}"}`),
  )
  const rows = JSON.parse(`[${claimed}]`) as { issue_id: string; title: string; claim: unknown }[]
  assert.deepEqual(
    rows.map(({ issue_id, claim, title: text }) => [issue_id, claim, text]),
    [
      [idOf('0a'), null, ',"claim":null}'],
      [idOf('c0'), { by: idOf('c0') }, ',"claim":null}'],
    ],
  )
  assert.equal(formatRowsAgain(json, [idOf('dd')], String), json)
})

test('a damaged file, or one of another state, is not used', () => {
  const rows = rowsById([{ issue_id: idOf('0a'), title: 'é', state: 'open', created_ts: 1 }])
  const { bytes } = encodeList('6', state, textsOf(rows))
  for (let index = 0; index < bytes.length; index++) {
    const damaged = Buffer.from(bytes)
    damaged[index] = (damaged[index] as number) ^ 1
    writeFileSync(path, damaged)
    assert.equal(readList(path, '6', state), undefined, `byte ${index}`)
    writeFileSync(path, bytes.subarray(0, index))
    assert.equal(readList(path, '6', state), undefined, `cut off at ${index}`)
  }
  writeFileSync(path, bytes)
  assert.ok(readList(path, '6', state) !== undefined)
  assert.equal(readList(path, '7', state), undefined)
  assert.equal(readList(path, '6', { ...state, reflogMark: 'other' }), undefined)
  assert.equal(readList(path, '6', { ...state, head: 'b'.repeat(40) }), undefined)
  assert.equal(readList(`${path}.absent`, '6', state), undefined)
})
