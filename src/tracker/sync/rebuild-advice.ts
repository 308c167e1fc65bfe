import type { View } from '../../view/index.ts'

const rebuildEventsMax = 10_000
const rebuildDaysMax = 7
const dayMs = 86_400_000

export interface RebuildAdvice {
  /** When the view was last rebuilt; null if it has grown with the log from the start. Milliseconds. */
  readonly rebuiltUnixMs: number | null
  readonly eventsSince: number
  readonly daysSince: number | null
  readonly isRecommended: boolean
}

/** Decides by growth and age since the last rebuild of a view whether to recommend another one. */
export async function readRebuildAdvice(view: View, nowUnixMs: number): Promise<RebuildAdvice> {
  const text = await view.readMeta('last_rebuild_ts')
  const rebuiltUnixMs = text === undefined ? null : Number(text)
  const eventsSince = view.eventCount - Number((await view.readMeta('events_at_rebuild')) ?? 0)
  const daysSince = rebuiltUnixMs === null ? null : Math.floor((nowUnixMs - rebuiltUnixMs) / dayMs)
  const isRecommended = eventsSince > rebuildEventsMax || (daysSince !== null && daysSince > rebuildDaysMax)
  return { rebuiltUnixMs, eventsSince, daysSince, isRecommended }
}
