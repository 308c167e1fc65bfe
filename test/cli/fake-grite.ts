/** The command line over the fake commands as a process of its own. */
import { runProcess } from '../../src/cli/run-process.ts'
import { fakeCommands } from './fake-commands.ts'

runProcess({ commands: fakeCommands, renderers: {} })
