import type { EventBody, EventId, IssueId, IssueStateWord, Restoration } from '../../model/index.ts'
import type { Draft } from '../draft.ts'
import { addDependency } from './change-dependencies.ts'
import { replaceField } from './changes.ts'

/**
 * Drafts events that restore previous values, including values of foreign writers. Title and text go into one event.
 * @throws {InvalidArgsError} when a restored edge or parent would now close a cycle
 */
export async function restore(
  draft: Draft,
  issueId: IssueId,
  restorations: readonly Restoration[],
): Promise<EventId[]> {
  const textOf = (kind: 'title' | 'body') => restorations.find(({ subject }) => subject.kind === kind)?.to ?? null
  const [title, body] = [textOf('title'), textOf('body')]
  const eventIds: EventId[] = []
  if (title !== null || body !== null) {
    eventIds.push((await draft.add(issueId, { type: 'IssueUpdated', title, body })).eventId)
  }
  for (const { subject, to } of restorations) {
    if (subject.kind === 'title' || subject.kind === 'body') continue
    if (subject.kind === 'dependency' && to !== null) {
      eventIds.push(...(await addDependency(draft, { source: issueId, ...subject.dependency })).eventIds)
    } else if (subject.kind === 'field') eventIds.push(...(await replaceField(draft, issueId, subject.key, to)))
    else eventIds.push((await draft.add(issueId, bodyFor({ subject, to }))).eventId)
  }
  return eventIds
}

function bodyFor({ subject, to }: Pick<Restoration, 'subject' | 'to'>): EventBody {
  switch (subject.kind) {
    case 'state':
      return { type: 'StateChanged', state: to as IssueStateWord }
    case 'label':
      return { type: to === null ? 'LabelRemoved' : 'LabelAdded', label: subject.label }
    case 'assignee':
      return { type: to === null ? 'AssigneeRemoved' : 'AssigneeAdded', user: subject.user }
    case 'dependency': {
      const { target, type } = subject.dependency
      return { type: 'DependencyRemoved', target, dep_type: type }
    }
    default:
      throw new TypeError(`${subject.kind} cannot be restored by a separate event`)
  }
}
