/** Streams, terminals, feeds and every command with --json, through a daemon. */
import assert from 'node:assert/strict'
import { after } from 'node:test'
import { countServedByTwins } from '../support/daemon-twin.ts'

process.env.GRITE_TEST_TWIN = 'daemon'
await import('../contract/json.test.ts')
await import('../contract/streams.test.ts')
await import('../contract/terminal.test.ts')
await import('../contract/watch.test.ts')
await import('../contract/without-git.test.ts')
await import('../reports/f8-watch-without-reader.test.ts')
await import('../tracker/repeated-requests.test.ts')
after(() => assert.ok(countServedByTwins() > 100, `${countServedByTwins()} requests were served`))
