/** What the bundle in `dist/` offers to its loader and to the build. */
export { createInterrupts } from './interrupts.ts'
export { main } from './main.ts'
export { nodeProcessFacts } from './node-process-facts.ts'
export { runProcess } from './run-process.ts'
