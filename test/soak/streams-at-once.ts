/** SOAK_SECONDS of a daemon, commands without it and a library that append to one stream. */
import { test } from 'node:test'
import { appendAtOnce } from '../support/streams-at-once.ts'

const seconds = Number(process.env.SOAK_SECONDS ?? 10)

test(`${seconds} s of writers of every kind lose no append`, { timeout: (seconds + 120) * 1000 }, async (t) => {
  t.diagnostic(JSON.stringify(await appendAtOnce(t, seconds * 1000)))
})
