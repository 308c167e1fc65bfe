/** The context store's projection: one record per path and one per project key, last writer wins (spec §3.2). */
import { compareVersions, type Event, type Version, versionOf } from './event.ts'
import type { EventBodyOf } from './event-kinds.ts'

/** What is known of one source file, or of one project key, with the version that said so. */
export interface ContextRecord<Name extends 'ContextUpdated' | 'ProjectContextUpdated'> {
  readonly version: Version
  readonly body: EventBodyOf<Name>
}
export type FileContext = ContextRecord<'ContextUpdated'>
export type ProjectContext = ContextRecord<'ProjectContextUpdated'>

/** The later of what is known and what an event says. Commutative and idempotent. */
export function laterContext<Name extends 'ContextUpdated' | 'ProjectContextUpdated'>(
  known: ContextRecord<Name> | null,
  event: Event & { readonly body: EventBodyOf<Name> },
): ContextRecord<Name> {
  if (known !== null && compareVersions(known.version, event) >= 0) return known
  return { version: versionOf(event), body: event.body }
}
