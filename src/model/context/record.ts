/** The projection of the context store: one record per path and one per project key, last writer wins (spec §3.2). */
import { compareVersions, type Event, type Version, versionOf } from '../event.ts'
import type { EventBodyOf } from '../event-kinds.ts'

/** The record of one source file or project key, with the version that wrote it. */
export interface ContextRecord<Name extends 'ContextUpdated' | 'ProjectContextUpdated'> {
  readonly version: Version
  readonly body: EventBodyOf<Name>
}
export type FileContext = ContextRecord<'ContextUpdated'>
export type ProjectContext = ContextRecord<'ProjectContextUpdated'>

/** The later of the known record and an event. Commutative and idempotent. */
export function laterContext<Name extends 'ContextUpdated' | 'ProjectContextUpdated'>(
  known: ContextRecord<Name> | null,
  event: Event & { readonly body: EventBodyOf<Name> },
): ContextRecord<Name> {
  if (known !== null && compareVersions(known.version, event) >= 0) return known
  return { version: versionOf(event), body: event.body }
}
