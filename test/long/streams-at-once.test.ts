import { test } from 'node:test'
import { appendAtOnce } from '../support/streams-at-once.ts'

test('a daemon, commands without it and a library lose no append to one stream', async (t) => {
  t.diagnostic(JSON.stringify(await appendAtOnce(t, 1000)))
})
