import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderStreamFetch } from '../../../src/cli/render/stream-remotes.ts'
import { plainStyle } from '../../../src/cli/render/style.ts'
import { onParts, textOf } from './text-of.ts'

const view = { width: null, style: plainStyle, quiet: false, nowUnixMs: 0 }

test('a fetched stream has one line, that of its newest generation, and others when they have diverged', async () => {
  const row = (stream: string, outcome: string, next_offset: number) => ({
    stream,
    outcome,
    local: null,
    remote: { next_offset },
  })
  const streams = [
    row('audit', 'created', 200),
    row('log', 'diverged', 4),
    row('audit', 'created', 300),
    row('log', 'created', 5),
  ]
  assert.equal(
    await textOf(onParts(renderStreamFetch)({ remote: 'origin', streams, missing: [] }, view)),
    'log: diverged\naudit: new, next offset 300\nlog: new, next offset 5\n',
  )
})
