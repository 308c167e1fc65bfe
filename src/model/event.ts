import type { EventBody } from './event-kinds.ts'
import type { ActorId, EventId, IssueId } from './ids.ts'
import { limits } from './limits.ts'

/** What an event states, before its id is known. */
export interface EventFacts {
  readonly issueId: IssueId
  readonly actor: ActorId
  /** Milliseconds since the Unix epoch, 0 to 2^53 - 1. */
  readonly tsUnixMs: number
  /** Of a reply: the comment's event. Otherwise null. */
  readonly parent: EventId | null
  readonly body: EventBody
}

/** An issue fact: content-addressed, immutable, from one actor. */
export interface Event extends EventFacts {
  readonly eventId: EventId
  /** Ed25519 over the 32 raw bytes of the event id; kept as found, whatever its length. */
  readonly sig: Uint8Array | null
}

/**
 * The place of an event in the one order that decides everything: time, then actor, then event id. Ids are compared
 * as lower-case hex, which is the order of their bytes.
 */
export interface Version {
  readonly tsUnixMs: number
  readonly actor: ActorId
  readonly eventId: EventId
}

/** Compares two versions. Negative: left is older. Zero only for one and the same event. */
export function compareVersions(left: Version, right: Version): number {
  if (left.tsUnixMs !== right.tsUnixMs) return left.tsUnixMs < right.tsUnixMs ? -1 : 1
  if (left.actor !== right.actor) return left.actor < right.actor ? -1 : 1
  if (left.eventId === right.eventId) return 0
  return left.eventId < right.eventId ? -1 : 1
}

/** The version of an event, without the rest of it. */
export function versionOf(event: Version): Version {
  return { tsUnixMs: event.tsUnixMs, actor: event.actor, eventId: event.eventId }
}

/**
 * The time of a new event: the clock's, or the next millisecond after what it has to come after. At the end of time there
 * is none, so that it shares the last one, and which of the two counts is decided by actor, then by event id.
 *
 * @param after - time of the newest event that is known where it belongs. Milliseconds.
 */
export function timeAfter(after: number, nowUnixMs: number): number {
  return Math.min(Math.max(nowUnixMs, after + 1), limits.tsUnixMsMax)
}
