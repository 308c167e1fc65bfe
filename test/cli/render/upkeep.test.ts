import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plainStyle } from '../../../src/cli/render/style.ts'
import { renderDbStats } from '../../../src/cli/render/upkeep.ts'
import { onParts } from './text-of.ts'

function textOf(changed: object = {}): string {
  const data = {
    path: '/view',
    size_bytes: 1,
    event_count: 1,
    issue_count: 1,
    log_bytes: null,
    snapshot_bytes: 0,
    snapshot_count: 0,
    stream_count: 0,
    stream_bytes: 0,
    journal_count: 0,
    journal_bytes: 0,
    unsealed_records: 0,
    loose_bytes: 2048,
    loose_objects: 309,
    pack_bytes: 1,
    pack_count: 1,
    last_rebuild_ts: null,
    events_since_rebuild: 0,
    rebuild_recommended: false,
    ...changed,
  } as unknown as Parameters<typeof renderDbStats>[0]
  return String(onParts(renderDbStats)(data, { width: null, style: plainStyle, nowUnixMs: 0, quiet: false }))
}

test('db stats says what the loose objects are of', () => {
  assert.match(textOf(), /2\.0 KiB in 309 files of the whole repository\n/)
})

test('db stats shows streams and journals where there are some', () => {
  const text = textOf({
    stream_count: 2,
    stream_bytes: 4096,
    journal_count: 1,
    journal_bytes: 2048,
    unsealed_records: 3,
  })
  assert.match(text, /Streams: +4\.0 KiB in 2 streams\nJournals: +2\.0 KiB in 1 journal: 3 records not sealed\n/)
  assert.doesNotMatch(textOf(), /Streams|Journals/)
})
