import type { Version } from './event.ts'
import type { IssueStateWord } from './event-kinds.ts'
import type { ActorId, EventId, IssueId } from './ids.ts'
import type { Creation, ElementVersions, IssueState, Register } from './projection.ts'

/**
 * Text form of a state for the view: JSON with versions as `[ts, actor, event_id]` and sorted elements, so that a state
 * has one text in whatever order its events arrived. Not a public format: a different schema number triggers a rebuild
 * of the view.
 */
export function formatIssueState(state: IssueState): string {
  return JSON.stringify([
    state.issueId,
    state.creation && [
      packVersion(state.creation.version),
      state.creation.title,
      state.creation.body,
      state.creation.labels,
    ],
    packRegister(state.title),
    packRegister(state.body),
    packRegister(state.state),
    packElements(state.labels),
    packElements(state.assignees),
    packElements(state.dependencies),
    state.commentCount,
    state.linkCount,
    state.attachmentCount,
    state.newestTsUnixMs,
  ] satisfies PackedIssueState)
}

/** Reverses `formatIssueState` after JSON parsing. */
export function unpackIssueState(packed: PackedIssueState): IssueState {
  return {
    issueId: packed[0],
    creation: unpackCreation(packed[1]),
    title: unpackRegister(packed[2]),
    body: unpackRegister(packed[3]),
    state: unpackRegister(packed[4]),
    labels: unpackElements(packed[5]),
    assignees: unpackElements(packed[6]),
    dependencies: unpackElements(packed[7]),
    commentCount: packed[8],
    linkCount: packed[9],
    attachmentCount: packed[10],
    newestTsUnixMs: packed[11],
  }
}

type PackedVersion = readonly [number, ActorId, EventId]
type PackedRegister<Value> = readonly [Value, PackedVersion] | null
type PackedElements = readonly (readonly [string, PackedVersion | null, PackedVersion | null])[]
/** A state as parsed from JSON. */
export type PackedIssueState = readonly [
  IssueId,
  readonly [PackedVersion, string, string, readonly string[]] | null,
  PackedRegister<string>,
  PackedRegister<string>,
  PackedRegister<IssueStateWord>,
  PackedElements,
  PackedElements,
  PackedElements,
  number,
  number,
  number,
  number,
]

function packVersion(version: Version): PackedVersion {
  return [version.tsUnixMs, version.actor, version.eventId]
}

function unpackVersion([tsUnixMs, actor, eventId]: PackedVersion): Version {
  return { tsUnixMs, actor, eventId }
}

function packRegister<Value>(register: Register<Value> | null): PackedRegister<Value> {
  return register && [register.value, packVersion(register.version)]
}

function unpackRegister<Value>(packed: PackedRegister<Value>): Register<Value> | null {
  return packed && { value: packed[0], version: unpackVersion(packed[1]) }
}

function unpackCreation(packed: PackedIssueState[1]): Creation | null {
  return packed && { version: unpackVersion(packed[0]), title: packed[1], body: packed[2], labels: packed[3] }
}

function packElements(elements: ReadonlyMap<string, ElementVersions>): PackedElements {
  const sorted = elements.size < 2 ? [...elements] : [...elements].sort(([left], [right]) => (left < right ? -1 : 1))
  return sorted.map(([key, { added, removed }]) => [key, added && packVersion(added), removed && packVersion(removed)])
}

function unpackElements(packed: PackedElements): Map<string, ElementVersions> {
  return new Map(
    packed.map(([key, added, removed]) => [
      key,
      { added: added && unpackVersion(added), removed: removed && unpackVersion(removed) },
    ]),
  )
}
