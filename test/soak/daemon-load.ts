/** 200 clients of one daemon with 10,000 commands, and a minute beside commands without it and an embedded library. */
import { test } from 'node:test'
import { createDaemonSandbox } from '../daemon/daemon-process.ts'
import { runBesideOthers, runDaemonLoad } from '../support/daemon-load.ts'

test('10,000 mixed commands of 200 clients', { timeout: 30 * 60_000 }, async (t) => {
  const place = createDaemonSandbox(t)
  place.startDaemon()
  await runDaemonLoad(place, { clients: 200, commands: 10_000 })
})

test('a minute beside commands without the daemon and a library', { timeout: 30 * 60_000 }, async (t) => {
  const place = createDaemonSandbox(t)
  place.startDaemon()
  await runBesideOthers(place, 60_000)
})
