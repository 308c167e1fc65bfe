/** Whole milliseconds of a clock that nobody sets. Looking at `performance` would load 2 ms of Node. */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1000 + Math.floor(nanoseconds / 1e6)
}
