/** What a re-append carries of a foreign meta.json, at and beyond the limits. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { limits } from '../../../src/model/index.ts'
import { batchesOfMissing, type IssueBatch, type IssueSegment, issueCodec } from '../../../src/wal/index.ts'
import { batchOf, comment, creation, filesOf, issueId, segmentOf, segmentOfFiles } from '../../support/log.ts'

const a = issueId('a0')

let commits = 0

function segmentWith(meta: Readonly<Record<string, unknown>>): IssueSegment {
  commits += 1
  return segmentOf(batchOf([comment(a, `${commits}`)], { meta }), commits.toString(16).padStart(40, '0'))
}

const carry = (...segments: readonly IssueSegment[]) => batchesOfMissing(segments, () => true, 1_700_000_000_000)
const requestsOf = ({ meta }: IssueBatch) => meta?.requests as readonly unknown[]
const carriedOf = ({ meta }: IssueBatch) => meta?.carried as Readonly<Record<string, unknown>>
const reasonsOf = ({ problems }: IssueSegment) => problems.map(({ severity, reason }) => `${severity}: ${reason}`)

/** Reads a batch back as a commit. */
function readBack(batch: IssueBatch): IssueSegment {
  const meta = issueCodec.encode(batch, []).files.get('meta.json') as Uint8Array
  assert.ok(meta.length <= limits.metaBytesMax, `${meta.length} bytes`)
  const segment = segmentOf(batch, 'e'.repeat(40))
  assert.deepEqual(segment.problems, [])
  return segment
}

/** A commit whose meta.json ends with this text, padded to a number of bytes. */
function segmentWithText(more: string, bytes?: number): IssueSegment {
  const files = filesOf(batchOf([creation(a)]), null)
  const own = Buffer.from(files.get('meta.json') as Uint8Array).toString()
  const text = `${own.slice(0, own.lastIndexOf('\n}'))},${more}`
  files.set('meta.json', Buffer.from(`${text.padEnd((bytes ?? 0) - 1)}}`))
  return segmentOfFiles(files, 'd'.repeat(40))
}

function nested(levels: number): unknown {
  let value: unknown = 0
  for (let level = 0; level < levels; level++) value = [value]
  return value
}

describe('foreign meta.json', () => {
  it('a re-append drops requests beyond the size limit', () => {
    const segment = segmentWithText(`"requests":[${Array(200_000).fill(1)}]`)
    const [batch, ...others] = carry(segment)
    assert.deepEqual([batch?.records.length, others], [1, []])
    const kept = requestsOf(batch as IssueBatch).length
    const bytes = JSON.stringify(requestsOf(batch as IssueBatch), null, 2).length
    assert.ok(
      bytes > limits.carriedRequestsBytesMax / 2 && bytes < 1.5 * limits.carriedRequestsBytesMax,
      `${kept} requests`,
    )
    assert.deepEqual(reasonsOf(segment), [
      `suspicious: meta.json has more than a re-append carries: ${200_000 - kept} of its requests and 0 unknown keys are too much`,
    ])
    assert.equal(requestsOf(carry(readBack(batch as IssueBatch))[0] as IssueBatch).length, kept)
  })

  it('a re-append keeps small keys beside an oversized one', () => {
    const segment = segmentWith({ large: 'x'.repeat(limits.carriedKeysBytesMax), small: 'x', carried: { older: [1] } })
    const [batch] = carry(segment)
    assert.deepEqual(carriedOf(batch as IssueBatch), { older: [1], small: 'x' })
    assert.match(reasonsOf(segment).join(), /: 0 of its requests and 1 unknown keys are too much$/)
  })

  it('a re-append keeps keys up to the size limit', () => {
    const fitting = 'x'.repeat(limits.carriedKeysBytesMax - '"k"'.length - '""'.length - 8)
    assert.deepEqual(carriedOf(carry(segmentWith({ k: fitting }))[0] as IssueBatch), { k: fitting })
    assert.equal(carriedOf(carry(segmentWith({ k: `${fitting}x` }))[0] as IssueBatch), undefined)
  })

  it('a re-append keeps values at the nesting limit, not deeper ones', () => {
    const deepest = nested(limits.carriedNestingMax)
    const segment = segmentWith({ deepest, deeper: [deepest], requests: [[deepest], 'r'] })
    const [batch] = carry(segment)
    assert.deepEqual(batch?.meta, { requests: ['r'], carried: { deepest } })
    assert.match(reasonsOf(segment).join(), /: 1 of its requests and 1 unknown keys are too much$/)
  })

  it('a re-append skips a meta.json nested deeper than the stack', () => {
    const segment = segmentWithText(`"requests":["r"],"deep":${'['.repeat(200_000)}${']'.repeat(200_000)}`)
    assert.deepEqual(carry(segment)[0]?.meta, {})
    assert.deepEqual(reasonsOf(segment), ['suspicious: meta.json is nested deeper than 64 levels'])
  })

  it('meta.json is read up to its size limit', () => {
    const [largest, segment] = [0, 1].map((more) => segmentWithText('"requests":["r"]', limits.metaBytesMax + more))
    assert.deepEqual([largest?.carries.requests, largest?.problems], [['r'], []])
    assert.deepEqual([segment?.items.length, segment?.carries.requests], [1, []])
    assert.deepEqual(reasonsOf(segment as IssueSegment), [
      `suspicious: meta.json is larger than ${limits.metaBytesMax} bytes`,
    ])
  })

  it('commits share a batch while their carried keys and requests fit', () => {
    const half = 'x'.repeat(limits.carriedKeysBytesMax / 2 - 100)
    const wide = Array.from({ length: 3000 }, (_, index) => `${index}`.padStart(36, '-'))
    const keys = carry(...[0, 1, 2].map((index) => segmentWith({ [`k${index}`]: half })))
    assert.deepEqual(
      keys.map((batch) => Object.keys(carriedOf(batch))),
      [['k0', 'k1'], ['k2']],
    )
    const requests = carry(...[0, 1, 2, 3].map(() => segmentWith({ requests: wide })))
    assert.deepEqual(
      requests.map((batch) => requestsOf(batch).length),
      [3000, 3000, 3000, 3000],
    )
    const same = carry(...[0, 1, 2].map(() => segmentWith({ host: half })))
    assert.equal(same.length, 1)
    for (const batch of [...keys, ...requests, ...same]) readBack(batch)
  })

  it('the largest carried meta.json can be read and carried again', () => {
    const row = [[[[]]]]
    const segment = segmentWith({
      requests: Array.from({ length: 20_000 }, () => row),
      carried: { rows: Array.from({ length: 2000 }, () => row) },
      ...Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`${index}`, index])),
    })
    const [batch] = carry(segment)
    const [again] = carry(readBack(batch as IssueBatch))
    assert.deepEqual(again?.meta, batch?.meta)
  })
})
