import { it } from 'node:test'
import { createDaemonSandbox } from '../daemon/daemon-process.ts'
import { runBesideOthers, runDaemonLoad } from '../support/daemon-load.ts'

it('300 mixed commands of twenty clients have the effect of one after the other', async (t) => {
  const place = createDaemonSandbox(t)
  place.startDaemon()
  await runDaemonLoad(place, { clients: 20, commands: 300 })
})

it('a daemon, commands without it and an embedded library lose nothing of each other', async (t) => {
  const place = createDaemonSandbox(t)
  place.startDaemon()
  await runBesideOthers(place, 10_000)
})
