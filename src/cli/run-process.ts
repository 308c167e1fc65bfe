/** Runs the command line in this process, with its signals and exit status. */
import { createInterrupts } from './interrupts.ts'
import { type MainParts, main } from './main.ts'
import { nodeProcessFacts } from './node-process-facts.ts'

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
  void main(process.argv.slice(2), nodeProcessFacts(interrupts), parts).then((status) => {
    // After a signal, exit with the status of the signal once the cleanup is done.
    if (!interrupts.running) process.exit(status)
  })
}
