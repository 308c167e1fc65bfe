import type { EventBody } from './event-kinds.ts'
import type { ActorId, EventId, IssueId } from './ids.ts'
import { limits } from './limits.ts'

/** The content of an event, before its id is known. */
export interface EventFacts {
  readonly issueId: IssueId
  readonly actor: ActorId
  /** Milliseconds since the Unix epoch, 0 to 2^53 - 1. */
  readonly tsUnixMs: number
  /** The event id of the comment that a reply answers. Otherwise null. */
  readonly parent: EventId | null
  readonly body: EventBody
}

/** An issue fact: content-addressed, immutable, from one actor. */
export interface Event extends EventFacts {
  readonly eventId: EventId
  /** Ed25519 over the 32 raw bytes of the event id; stored as found, whatever its length. */
  readonly sig: Uint8Array | null
}

/**
 * The place of an event in the total order: time, then actor, then event id. Ids compare as lower-case hex, which is
 * the order of their bytes.
 */
export interface Version {
  readonly tsUnixMs: number
  readonly actor: ActorId
  readonly eventId: EventId
}

/** Compares two versions. Negative: left is older. Zero only for the same event. */
export function compareVersions(left: Version, right: Version): number {
  if (left.tsUnixMs !== right.tsUnixMs) return left.tsUnixMs < right.tsUnixMs ? -1 : 1
  if (left.actor !== right.actor) return left.actor < right.actor ? -1 : 1
  if (left.eventId === right.eventId) return 0
  return left.eventId < right.eventId ? -1 : 1
}

/** The version of an event. */
export function versionOf(event: Version): Version {
  return { tsUnixMs: event.tsUnixMs, actor: event.actor, eventId: event.eventId }
}

/**
 * The time of a new event: the clock's, or one millisecond after the event that it must follow. At the maximum time
 * there is no later one: both share it, and actor, then event id, decide which one wins.
 *
 * @param after - time of the newest known event that it must follow. Milliseconds.
 */
export function timeAfter(after: number, nowUnixMs: number): number {
  return Math.min(Math.max(nowUnixMs, after + 1), limits.tsUnixMsMax)
}
