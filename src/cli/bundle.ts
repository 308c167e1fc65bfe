/** Exports of the bundle in `dist/` for its loader and the build. */
export { createInterrupts } from './interrupts.ts'
export { main } from './main.ts'
export { nodeProcessFacts } from './node-process-facts.ts'
export { reportLostDaemon, runProcess } from './run-process.ts'
