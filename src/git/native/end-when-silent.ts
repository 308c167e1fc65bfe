import type { StartedGit } from '../run-git.ts'

/** How long git may work on one commit without output. It affects only the time that reading takes. */
const silenceMsMax = 900
/** Checks within that time, so that a moment in which this process itself was busy does not count. */
const silentLooksMax = 3

/**
 * Kills git after a period without output: it is lost in a tree, or inflates a blob that is discarded anyway.
 *
 * @param isWaiting - whether the reader has all output so far; by default that of the pipe
 */
export function endWhenSilent({ child }: StartedGit, isWaiting = () => child.stdout?.readableLength === 0) {
  let silentLooks = 0
  const wasSilent = () => silentLooks >= silentLooksMax
  const timer = setInterval(() => {
    silentLooks = isWaiting() ? silentLooks + 1 : 0
    if (wasSilent()) child.kill()
  }, silenceMsMax / silentLooksMax)
  timer.unref()
  return {
    heard() {
      silentLooks = 0
    },
    wasSilent,
    stop: () => clearInterval(timer),
  }
}
