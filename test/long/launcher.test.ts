import assert from 'node:assert/strict'
import { test } from 'node:test'
import { daemonClientConformance } from '../conformance/daemon-client.ts'
import { converse } from '../conformance/daemon-client-setup.ts'
import { whyNoCompiler } from '../native/compile-launcher.ts'
import { launcherClient } from '../native/launcher-client.ts'
import { nodeClient } from '../native/node-client.ts'
import { answers, welcome } from '../support/fake-daemon.ts'

daemonClientConformance(launcherClient, whyNoCompiler)

for (const words of [['list'], ['list', '--json']]) {
  test(`the launcher reports a lost daemon like the Node client: ${words.join(' ')}`, {
    skip: whyNoCompiler,
  }, async (t) => {
    const [one, other] = await Promise.all(
      [launcherClient, nodeClient].map((client) =>
        converse(
          t,
          client,
          async (connection) => {
            const { id } = await connection.receiveRun()
            await connection.send(welcome, answers(id).accepted, answers(id).stdout('a part\n'))
          },
          { words },
        ),
      ),
    )
    assert.deepEqual(one, other)
  })
}
