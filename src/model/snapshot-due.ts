/** Facts about the existing snapshots, known without reading their content. */
export interface SnapshotCover {
  /** Creation time of the newest snapshot. Milliseconds. */
  readonly createdTs: number
  /** The largest event count of any of them. */
  readonly eventCount: number
}

export interface SnapshotThresholds {
  readonly maxEvents: number
  readonly maxAgeDays: number
}

const dayMs = 86_400_000
/** An old snapshot is replaced only when this part of `maxEvents` is new. */
const replaceFraction = 0.1

/**
 * Whether a new snapshot is worth making.
 *
 * @param cover - null when there is no snapshot
 * @param eventCount - events now in the log
 */
export function isSnapshotDue(
  cover: SnapshotCover | null,
  { eventCount, nowUnixMs }: { readonly eventCount: number; readonly nowUnixMs: number },
  { maxEvents, maxAgeDays }: SnapshotThresholds,
): boolean {
  const newCount = eventCount - (cover?.eventCount ?? 0)
  if (newCount >= maxEvents) return true
  if (cover === null) return false
  return nowUnixMs - cover.createdTs > maxAgeDays * dayMs && newCount >= replaceFraction * maxEvents
}
