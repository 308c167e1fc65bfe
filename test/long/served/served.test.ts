import './use-daemon.ts'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createGriteSandbox } from '../../contract/grite-process.ts'

test('the sandbox of these tests runs grite through its daemon', (t) => {
  const place = createGriteSandbox(t)
  const served = () => place.data('daemon', 'status').requests_total
  const before = served()
  place.create('One')
  place.data('issue', 'list')
  // Each status is a request, too.
  assert.equal(served() - before, 3)
})
