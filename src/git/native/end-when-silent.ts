import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { StartedGit } from '../run-git.ts'

/** How long git may work on one commit without output. It affects only the time that reading takes. */
const silenceMsMax = 900
/** Checks within that time, so that a moment in which this process itself was busy does not count. */
const silentLooksMax = 3

export interface SilenceOptions {
  /** Whether the reader has all output so far; by default that of the pipe. */
  readonly isWaiting?: () => boolean
  /** How much longer git may take until its first output. Milliseconds. */
  readonly walkMs?: number
}

/** Kills git after a period without output: it is lost in a tree, or inflates a blob that is discarded anyway. */
export function endWhenSilent({ child }: StartedGit, { isWaiting, walkMs = 0 }: SilenceOptions = {}) {
  const hasAll = isWaiting ?? (() => child.stdout?.readableLength === 0)
  const lookMs = silenceMsMax / silentLooksMax
  let looksMax = silentLooksMax + Math.ceil(walkMs / lookMs)
  let silentLooks = 0
  const wasSilent = () => silentLooks >= looksMax
  const timer = setInterval(() => {
    silentLooks = hasAll() ? silentLooks + 1 : 0
    if (wasSilent()) child.kill()
  }, lookMs)
  timer.unref()
  return {
    heard() {
      silentLooks = 0
      looksMax = silentLooksMax
    },
    wasSilent,
    stop: () => clearInterval(timer),
  }
}

/** git walks all commits before its first output: 2 us each, on a machine that has nothing else to do. */
const walkUsPerObject = 10
/** Bounds what one bad commit at the beginning of a long history costs. */
const walkMsMax = 10_000
/** Of a pack's index, for each object. Bytes. */
const indexRowBytes = 28

/** How long git may take to walk a whole history, by the number of packed objects. Milliseconds. */
export function estimateWalkMs(objectDir: string): number {
  const folder = join(objectDir, 'pack')
  try {
    const indexes = readdirSync(folder).filter((name) => name.endsWith('.idx'))
    const bytes = indexes.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
    return Math.min(walkMsMax, ((bytes / indexRowBytes) * walkUsPerObject) / 1000)
  } catch {
    // No packs, or git is replacing them.
    return 0
  }
}
