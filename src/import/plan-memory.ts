/**
 * Plans memories of a beads tracker, as entries `memory.<key>` of the project's context store. They have no time of
 * their own: a new one is dated 0, and a replacement one millisecond after the previous one. So a value that a person
 * set wins over later imports.
 */
import {
  beadsImportActor,
  type Event,
  identifyEvent,
  memoryContextKey,
  type ProjectContext,
  projectContextIssueId,
  timeAfter,
} from '../model/index.ts'
import type { BeadsMemory } from './beads-line.ts'

export interface MemoryPlan {
  readonly outcome: 'added' | 'unchanged' | 'superseded'
  readonly events: readonly Event[]
}

/** Plans one memory against the content of the store. */
export function planMemory({ key, value }: BeadsMemory, present: ProjectContext | undefined): MemoryPlan {
  if (present?.body.value === value) return { outcome: 'unchanged', events: [] }
  if (present !== undefined && present.version.actor !== beadsImportActor) return { outcome: 'superseded', events: [] }
  const event = identifyEvent({
    issueId: projectContextIssueId,
    actor: beadsImportActor,
    tsUnixMs: present === undefined ? 0 : timeAfter(present.version.tsUnixMs, 0),
    parent: null,
    body: { type: 'ProjectContextUpdated', key: memoryContextKey(key), value },
  })
  return { outcome: 'added', events: [event] }
}
