/** The contract of the command line, through a daemon. Without damage.test.ts, which changes files below the open view. */
import assert from 'node:assert/strict'
import { after } from 'node:test'
import { countServedByTwins } from '../support/daemon-twin.ts'

process.env.GRITE_TEST_TWIN = 'daemon'
await import('../contract/bad-input.test.ts')
await import('../contract/config.test.ts')
await import('../contract/human.test.ts')
await import('../contract/limits.test.ts')
await import('../contract/places.test.ts')
await import('../contract/queries-page.test.ts')
await import('../contract/tab-output.test.ts')
// After the sandboxes have ended.
after(() => assert.ok(countServedByTwins() > 100, `${countServedByTwins()} requests were served`))
