/** Runs the command line with the fake commands in a separate process, and one that waits for nothing. */
import { runProcess } from '../../src/cli/run-process.ts'
import { defineCommand } from '../../src/commands/define-command.ts'
import { fakeCommands } from './fake-commands.ts'

const stall = defineCommand({
  name: 'stall',
  summary: 'Wait for nothing',
  examples: [],
  effect: 'reads',
  arguments: {},
  options: {},
  run: () => new Promise<{ readonly data: null }>(() => {}),
})

runProcess({ commands: [...fakeCommands, stall], renderers: {} })
