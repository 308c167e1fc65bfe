/** Runs the command line in this process, with its signals and exit status. */

import { InternalError, IpcError } from '../model/errors/index.ts'
import type { Workspace } from '../tracker/workspace.ts'
import { createInterrupts } from './interrupts.ts'
import { type MainParts, main, reportFailure } from './main.ts'
import { nodeProcessFacts } from './node-process-facts.ts'

const serve: MainParts['serve'] = async (context, request) =>
  (await import('./daemon/serve.ts')).serve(context, request)

const statusOfSignal = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 }

export function runProcess(parts?: Partial<MainParts>): void {
  const interrupts = createInterrupts()
  for (const [signal, status] of Object.entries(statusOfSignal)) {
    process.on(signal, () => {
      if (signal === 'SIGINT' && interrupts.left) return
      // A second signal during cleanup exits at once.
      if (interrupts.running) process.exit(status)
      void interrupts.run().then(() => process.exit(status))
    })
  }
  process.once('beforeExit', reportStall)
  const argv = process.argv.slice(2)
  let opened: Workspace | undefined
  const openRepository: MainParts['openRepository'] = async (facts) => {
    const { openWorkspace } = await import('../tracker/workspace.ts')
    opened = await openWorkspace(facts)
    return opened
  }
  const { GRITE_REQUEST: request } = process.env
  delete process.env.GRITE_REQUEST
  void main(argv, { ...nodeProcessFacts(interrupts), request }, { serve, openRepository, ...parts }).then(
    async (status) => {
      // After a signal, exit with the status of the signal once the cleanup is done.
      if (interrupts.running) return
      if (status === 0 && opened !== undefined) {
        const { spawnForNext } = await import('./daemon/spawn-for-next.ts')
        await spawnForNext(opened, argv)
      }
      process.exit(status)
    },
  )
}

/** Nothing is left that the command could wait for: Node would end the process with status 0 and without a word. */
function reportStall(): void {
  reportAndExit(
    new InternalError('the command stopped before it was done', {
      hints: ['Look at the result before you run it again, and report this bug'],
    }),
  )
}

/** The daemon ended after the client has printed a part of its output. */
export function reportLostDaemon(): void {
  const error = new IpcError(
    'the daemon ended before the answer was complete; what the command was to change may be in the log',
    {
      hints: ['Look at the result, for example with `grite list`, before you run the command again'],
    },
  )
  reportAndExit(error)
}

function reportAndExit(error: Error): void {
  const globals = { json: process.argv.includes('--json'), pretty: undefined }
  void reportFailure(error, nodeProcessFacts(createInterrupts()), globals).then((status) => process.exit(status))
}
