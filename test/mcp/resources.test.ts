import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseResourceUri } from '../../src/mcp/resources.ts'

for (const [uri, name] of [
  ['grite://prime', { kind: 'prime' }],
  ['grite://ready', { kind: 'ready' }],
  ['grite://issue/3f2a91c', { kind: 'issue', id: '3f2a91c' }],
  ['grite://stream/agent/plan', { kind: 'stream', id: 'agent/plan' }],
  ['grite://stream/agent%2Fplan', { kind: 'stream', id: 'agent/plan' }],
] as const) {
  test(`${uri} names a resource`, () => {
    assert.deepEqual(parseResourceUri(uri), name)
  })
}

for (const uri of ['', 'grite://', 'grite://issue/', 'grite://prime/x', 'grite://stream/%ff', 'file:///etc/hostname']) {
  test(`'${uri}' is refused with the URIs that exist`, () => {
    assert.throws(
      () => parseResourceUri(uri),
      ({ code, details }) => code === 'invalid_args' && details.allowed.length === 4,
    )
  })
}
