/** Whole milliseconds of a monotonic clock. Using `performance` would load 2 ms of Node. */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1000 + Math.floor(nanoseconds / 1e6)
}
