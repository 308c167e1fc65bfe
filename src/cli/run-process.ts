/** Runs the command line as this process: signals, exit status. */
import { createInterrupts } from './interrupts.ts'
import { type MainParts, main } from './main.ts'
import { nodeProcessFacts } from './node-process-facts.ts'

const statusOfSignal = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 }

export function runProcess(parts?: Partial<MainParts>): void {
  const interrupts = createInterrupts()
  for (const [signal, status] of Object.entries(statusOfSignal)) {
    process.on(signal, () => {
      if (signal === 'SIGINT' && interrupts.left) return
      // A second signal while cleaning up ends at once.
      if (interrupts.running) process.exit(status)
      void interrupts.run().then(() => process.exit(status))
    })
  }
  void main(process.argv.slice(2), nodeProcessFacts(interrupts), parts).then((status) => {
    // What ends because of a signal ends with the status of the signal, when everything is cleaned up.
    if (!interrupts.running) process.exit(status)
  })
}
