import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AdoptedRange, type MergeRequest, planMerge } from '../../../src/model/streams/index.ts'

const range = (source: number, from: number, to: number) => ({ kind: 'range' as const, source, from, to })
const a = { source: 1, streamId: 'a', base: 3, offset: 6, oldest: 0, held: [] }
const b = { source: 2, streamId: 'b', base: 4, offset: 7, oldest: 0, held: [] }
const request: MergeRequest = {
  policy: 'recursive',
  target: { nextOffset: 9 },
  sources: [a, b],
  // Even times in one, odd in the other.
  timesOf: ({ source, from, to }: AdoptedRange) => Array.from({ length: to - from }, (_, index) => 2 * index + source),
  rows: [range(2, 0, 1)],
}
const fresh = [range(1, 3, 6), range(2, 4, 7)]
const interleaved = {
  kind: 'interleave' as const,
  ranges: fresh.map(({ source, from, to }) => ({ source, from, to })),
  marks: [],
}

const plans: readonly (readonly [name: string, change: Partial<MergeRequest>, rows: ReturnType<typeof planMerge>])[] = [
  ['recursive, into a stream', {}, { outcome: 'rows', rows: fresh }],
  ['recursive, as a new stream', { target: null }, { outcome: 'rows', rows: [range(1, 0, 6), range(2, 4, 7)] }],
  ['nothing new', { sources: [{ ...a, offset: 3 }] }, { outcome: 'rows', rows: [] }],
  ['ours, into a stream', { policy: 'ours' }, { outcome: 'rows', rows: [] }],
  ['ours, as a new stream', { policy: 'ours', target: null }, { outcome: 'rows', rows: [range(1, 0, 6)] }],
  ['custom', { policy: 'custom:mine' }, { outcome: 'rows', rows: [range(2, 0, 1)] }],
  ['interleave, into a stream', { policy: 'interleave' }, { outcome: 'rows', rows: [interleaved] }],
  [
    'interleave, as a new stream',
    { policy: 'interleave', target: null },
    { outcome: 'rows', rows: [range(1, 0, 3), interleaved] },
  ],
  [
    'interleave of one source',
    { policy: 'interleave', sources: [a, { ...b, offset: 4 }] },
    { outcome: 'rows', rows: [range(1, 3, 6)] },
  ],
  [
    'fast-forward',
    { policy: 'fast-forward', sources: [a], target: { nextOffset: 3 } },
    { outcome: 'rows', rows: [range(1, 3, 6)] },
  ],
  [
    'fast-forward, as a new stream',
    { policy: 'fast-forward', sources: [a], target: null },
    { outcome: 'rows', rows: [range(1, 0, 6)] },
  ],
  [
    'fast-forward of a target with records of its own',
    { policy: 'fast-forward', sources: [a] },
    { outcome: 'refused', reason: 'target-has-records' },
  ],
  [
    'recursive, of sources that were cut',
    {
      sources: [
        { ...a, oldest: 5 },
        { ...b, oldest: 2 },
      ],
    },
    { outcome: 'rows', rows: [range(1, 5, 6), range(2, 4, 7)] },
  ],
  [
    'recursive, as a new stream, of a source that was cut',
    { target: null, sources: [{ ...a, oldest: 2 }, b] },
    { outcome: 'rows', rows: [range(1, 2, 6), range(2, 4, 7)] },
  ],
  [
    'interleave, as a new stream, of a source that was cut',
    {
      policy: 'interleave',
      target: null,
      sources: [
        { ...a, oldest: 2 },
        { ...b, offset: 4 },
      ],
    },
    { outcome: 'rows', rows: [range(1, 2, 3), range(1, 3, 6)] },
  ],
  [
    'fast-forward of a source that was cut after the base',
    { policy: 'fast-forward', sources: [{ ...a, oldest: 5 }], target: { nextOffset: 3 } },
    { outcome: 'refused', reason: 'source-was-cut' },
  ],
  [
    'recursive, of a source with held parts',
    {
      sources: [
        {
          ...a,
          offset: 9,
          held: [
            { from: 3, to: 4 },
            { from: 6, to: 8 },
          ],
        },
        b,
      ],
    },
    { outcome: 'rows', rows: [range(1, 4, 6), range(1, 8, 9), range(2, 4, 7)] },
  ],
  [
    'recursive, of a source that is held',
    { sources: [{ ...a, held: [{ from: 3, to: 6 }] }] },
    { outcome: 'rows', rows: [] },
  ],
  [
    'interleave, of a source with held parts',
    {
      policy: 'interleave',
      sources: [
        {
          ...a,
          offset: 9,
          held: [
            { from: 3, to: 4 },
            { from: 6, to: 7 },
          ],
        },
      ],
    },
    { outcome: 'rows', rows: [range(1, 4, 9)] },
  ],
  [
    'fast-forward, of a source with held parts',
    { policy: 'fast-forward', sources: [{ ...a, held: [{ from: 4, to: 5 }] }], target: { nextOffset: 3 } },
    { outcome: 'rows', rows: [range(1, 3, 6)] },
  ],
  ['fast-forward of two', { policy: 'fast-forward' }, { outcome: 'refused', reason: 'several-sources' }],
]
for (const [name, change, expected] of plans) {
  test(`the rows of a merge: ${name}`, () => {
    assert.deepEqual(planMerge({ ...request, ...change }), expected)
  })
}

test('an interleaved row marks every 4,096 records', () => {
  const sources = [
    { ...a, base: 0, offset: 5000 },
    { ...b, base: 10, offset: 5010 },
  ]
  const plan = planMerge({ ...request, policy: 'interleave', sources })
  assert.ok(plan.outcome === 'rows' && plan.rows[0]?.kind === 'interleave')
  assert.deepEqual(plan.rows[0].marks, [
    [2048, 2058],
    [4096, 4106],
  ])
})

test('ties go to the smaller stream id', () => {
  const sources = [
    { ...a, streamId: 'b', base: 0, offset: 4097 },
    { ...b, streamId: 'a', base: 0, offset: 4097 },
  ]
  const plan = planMerge({
    ...request,
    policy: 'interleave',
    sources,
    timesOf: ({ to }) => Array.from({ length: to }, () => 7),
  })
  assert.ok(plan.outcome === 'rows' && plan.rows[0]?.kind === 'interleave')
  assert.deepEqual(plan.rows[0].marks, [
    [0, 4096],
    [4095, 4097],
  ])
})
