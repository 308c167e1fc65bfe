/** What protects the daemon from its clients, and how it ends. A test passes shorter times. */
export interface DaemonLimits {
  /** Time to send hello. Milliseconds. */
  readonly helloMs: number
  /** Time to send the rest of a frame. Milliseconds. */
  readonly frameMs: number
  /** Time that waiting output is not taken by a client. Milliseconds. */
  readonly unreadMs: number
  readonly connections: number
  /** How often the daemon looks whether it is still wanted: two stats. Milliseconds. */
  readonly lookMs: number
  /** Requests that are still running this long after the end was asked for are cancelled. Milliseconds. */
  readonly graceMs: number
  /** Tails of all connections. */
  readonly tails: number
  /** A tail whose client takes no records for this long expires. Milliseconds. */
  readonly tailIdleMs: number
}

export const usualLimits: DaemonLimits = {
  helloMs: 5_000,
  frameMs: 30_000,
  unreadMs: 60_000,
  connections: 1024,
  lookMs: 5_000,
  graceMs: 10_000,
  tails: 1024,
  tailIdleMs: 60_000,
}
