import { fileURLToPath } from 'node:url'

/** The program of a thread that parses. The build puts its bundle in place. */
export const parseWorkerPath = (): string => fileURLToPath(new URL('./parse-worker.ts', import.meta.url))
