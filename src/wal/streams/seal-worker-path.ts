import { fileURLToPath } from 'node:url'

/** The program of the thread that seals. The build puts the path of its bundle here. */
export const sealWorkerPath = (): string => fileURLToPath(new URL('./seal-worker.ts', import.meta.url))
