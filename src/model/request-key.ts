/** Idempotency keys of requests: `<unix ms>-<32 hexadecimal digits>` (docs/ipc.md, Run). */

export function isRequestKey(text: string): boolean {
  return /^\d{1,15}-[0-9a-f]{32}$/.test(text)
}

/** When a key was made. Milliseconds since the Unix epoch. */
export function timeOfRequestKey(key: string): number {
  return Number(key.slice(0, key.indexOf('-')))
}
