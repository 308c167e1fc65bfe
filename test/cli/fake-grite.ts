/** Runs the command line with the fake commands in a separate process. */
import { runProcess } from '../../src/cli/run-process.ts'
import { fakeCommands } from './fake-commands.ts'

runProcess({ commands: fakeCommands, renderers: {} })
