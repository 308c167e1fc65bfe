import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plainStyle } from '../../../src/cli/render/style.ts'
import { renderDbStats } from '../../../src/cli/render/upkeep.ts'
import { onParts } from './text-of.ts'

test('db stats says what the loose objects are of', () => {
  const data = {
    path: '/view',
    size_bytes: 1,
    event_count: 1,
    issue_count: 1,
    log_bytes: null,
    snapshot_bytes: 0,
    snapshot_count: 0,
    loose_bytes: 2048,
    loose_objects: 309,
    pack_bytes: 1,
    pack_count: 1,
    last_rebuild_ts: null,
    events_since_rebuild: 0,
    rebuild_recommended: false,
  } as unknown as Parameters<typeof renderDbStats>[0]
  const text = onParts(renderDbStats)(data, { width: null, style: plainStyle, nowUnixMs: 0, quiet: false })
  assert.match(String(text), /2\.0 KiB in 309 files of the whole repository\n/)
})
