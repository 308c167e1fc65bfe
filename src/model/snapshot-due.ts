/** What is known of the snapshots there are, without reading what is in them. */
export interface SnapshotCover {
  /** When the newest was made. Milliseconds. */
  readonly createdTs: number
  /** The most events that one of them holds. */
  readonly eventCount: number
}

export interface SnapshotThresholds {
  readonly maxEvents: number
  readonly maxAgeDays: number
}

const dayMs = 86_400_000
/** An old snapshot is not replaced for less than this part of what makes a young one due. */
const worthwhilePart = 0.1

/**
 * Whether another snapshot is worth making.
 *
 * @param cover - null when there is no snapshot
 * @param eventCount - events of the log as it is now
 */
export function isSnapshotDue(
  cover: SnapshotCover | null,
  { eventCount, nowUnixMs }: { readonly eventCount: number; readonly nowUnixMs: number },
  { maxEvents, maxAgeDays }: SnapshotThresholds,
): boolean {
  const newCount = eventCount - (cover?.eventCount ?? 0)
  if (newCount >= maxEvents) return true
  if (cover === null) return false
  return nowUnixMs - cover.createdTs > maxAgeDays * dayMs && newCount >= worthwhilePart * maxEvents
}
