export type { Line, LineEffects, LineOutcome, LineStreams, RunLine } from './line.ts'
export { type DaemonLog, daemonLogPath, earlierLogPath, openDaemonLog } from './log.ts'
export { endpointPath, listSockets } from './ownership.ts'
export { type Daemon, type DaemonOptions, startDaemon } from './server.ts'
