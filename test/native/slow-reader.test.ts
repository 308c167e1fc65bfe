import assert from 'node:assert/strict'
import { test } from 'node:test'
import { converse } from '../conformance/daemon-client-setup.ts'
import { answers, welcome } from '../support/fake-daemon.ts'
import { whyNoCompiler } from './compile-launcher.ts'
import { launcherClient } from './launcher-client.ts'

test('the launcher takes output from the daemon while nobody reads its own', { skip: whyNoCompiler }, async (t) => {
  const part = Buffer.alloc(2 ** 16, 'output ')
  const count = 128
  let resume = (): void => undefined
  const { status, stdout } = await converse(
    t,
    launcherClient,
    async (connection) => {
      const { id } = await connection.receiveRun()
      const { accepted, stdout, exit } = answers(id)
      await connection.send(welcome, accepted)
      for (let sent = 0; sent < count; sent++) await connection.send(stdout(part))
      await connection.send(exit(0))
      resume()
    },
    {
      drive: (child) => {
        child.stdout?.pause()
        resume = () => void child.stdout?.resume()
      },
    },
  )
  assert.deepEqual([status, stdout.length], [0, count * part.length])
})
