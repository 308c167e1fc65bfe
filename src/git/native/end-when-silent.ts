import type { StartedGit } from '../run-git.ts'

/** So long git may work on one commit before it says anything of it. Nothing depends on it but the time that reading takes. */
const silenceMsMax = 900
/** Looks in that time, so that a moment in which this process itself was busy does not count. */
const silentLooksMax = 3

/** Kills git when it has said nothing for some time: it is lost in a tree, or inflates a blob that is not taken anyway. */
export function endWhenSilent({ child }: StartedGit) {
  let silentLooks = 0
  const wasSilent = () => silentLooks >= silentLooksMax
  const timer = setInterval(() => {
    silentLooks = child.stdout?.readableLength === 0 ? silentLooks + 1 : 0
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
