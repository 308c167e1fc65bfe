/**
 * The change that each event of an issue made, at its place in version order.
 *
 * Invariants
 * - Events are processed in version order, so each one decides its subject at its place. A creation decides title,
 *   text, state and its labels; earlier events no longer decide those.
 * - An entry that nothing supersedes gives the current value; the projection of the same events agrees.
 * - One step per event, whatever the events are: an issue with a million events takes a million steps.
 */
import { compareText } from './compare.ts'
import type { Event } from './event.ts'
import type { EventBodyOf } from './event-kinds.ts'
import { type FieldKey, parseScopedLabel } from './fields.ts'
import type { EventId } from './ids.ts'
import type { Dependency } from './projection.ts'

/** The subject of an event: a register, an element, a field, or something that is only ever added. */
export type Subject = Changeable | Final

/** A subject whose value an event can change. */
export type Changeable =
  | { readonly kind: 'title' | 'body' | 'state' }
  | { readonly kind: 'field'; readonly key: FieldKey }
  | { readonly kind: 'label'; readonly label: string }
  | { readonly kind: 'assignee'; readonly user: string }
  | { readonly kind: 'dependency'; readonly dependency: Dependency }

/** A subject that never changes; `nothing` is an update without a title and a text. */
export interface Final {
  readonly kind: 'creation' | 'comment' | 'link' | 'attachment' | 'nothing'
}

export interface HistoryEntry {
  readonly event: Event
  readonly subject: Subject
  /** Value before and after; null for no value. */
  readonly old: string | null
  readonly new: string | null
  /** Whether it changed anything at its place. */
  readonly effective: boolean
  /** The next event that decides the same subject and wins; null while this event wins. */
  readonly supersededBy: EventId | null
  /** For a removal that only made room for another value of the field: the event that set it. */
  readonly partOf: EventId | null
}

/**
 * The history of one issue: one entry per event, two for an event that sets both title and text.
 *
 * @param events - each once, in version order
 */
export function historyOf(events: readonly Event[]): HistoryEntry[] {
  const fold = new HistoryFold()
  for (const event of events) fold.apply(event)
  fold.endChange()
  return fold.entries
}

/** The name of a subject: `title`, `label`, `priority`; null for a creation, and for nothing. */
export function fieldNameOf(subject: Subject): string | null {
  if (subject.kind === 'field') return subject.key
  return subject.kind === 'creation' || subject.kind === 'nothing' ? null : subject.kind
}

type Draft = { -readonly [Key in keyof HistoryEntry]: HistoryEntry[Key] }
type Register = 'title' | 'body' | 'state'
type Element = Extract<Changeable, { readonly kind: 'label' | 'assignee' | 'dependency' }>

/** Consecutive events on labels of one key that form one change. */
interface Change {
  readonly key: FieldKey
  /** The field's value before the change, and the entry that decided it. */
  readonly old: string | null
  readonly decided: Draft | undefined
  readonly entries: Draft[]
}

class HistoryFold {
  readonly entries: Draft[] = []
  /** The entry that decides each subject. */
  readonly #deciding = new Map<string, Draft>()
  readonly #registers = new Map<Register, string>()
  readonly #present = new Set<string>()
  /** The label added last, by field. */
  readonly #fieldLabels = new Map<FieldKey, string>()
  /** The field change that the last event belongs to. */
  #change: Change | null = null
  #isCreated = false

  apply(event: Event): void {
    const { body } = event
    if (body.type === 'LabelAdded' || body.type === 'LabelRemoved') {
      this.#applyLabel(event, body)
      return
    }
    this.endChange()
    switch (body.type) {
      case 'IssueCreated':
        this.#create(event, body)
        return
      case 'IssueUpdated':
        if (body.title !== null) this.#setRegister(event, 'title', body.title)
        if (body.body !== null) this.#setRegister(event, 'body', body.body)
        if (body.title === null && body.body === null) this.#push(event, { kind: 'nothing' }, null, null)
        return
      case 'StateChanged':
        this.#setRegister(event, 'state', body.state)
        return
      case 'AssigneeAdded':
      case 'AssigneeRemoved':
        this.#setElement(event, { kind: 'assignee', user: body.user }, body.type === 'AssigneeAdded')
        return
      case 'DependencyAdded':
      case 'DependencyRemoved': {
        const dependency = { target: body.target, type: body.dep_type }
        this.#setElement(event, { kind: 'dependency', dependency }, body.type === 'DependencyAdded')
        return
      }
      case 'CommentAdded':
        this.#push(event, { kind: 'comment' }, null, body.body)
        return
      case 'LinkAdded':
        this.#push(event, { kind: 'link' }, null, body.url)
        return
      case 'AttachmentAdded':
        this.#push(event, { kind: 'attachment' }, null, body.name)
        return
      case 'ContextUpdated':
      case 'ProjectContextUpdated':
        throw new TypeError(`${body.type} is not an event of an issue`)
    }
  }

  /** The earlier events of a change only made room for the last. */
  endChange(): void {
    const { entries = [], decided } = this.#change ?? {}
    const last = entries.at(-1)?.event.eventId ?? null
    for (const entry of entries.slice(0, -1)) entry.partOf = last
    if (decided !== undefined && decided.supersededBy !== null) decided.supersededBy = last
    this.#change = null
  }

  /** Creations after the first change nothing. */
  #create(event: Event, body: EventBodyOf<'IssueCreated'>): void {
    this.#push(event, { kind: 'creation' }, null, this.#isCreated ? null : body.title)
    if (this.#isCreated) return
    this.#isCreated = true
    for (const [name, value] of [
      ['title', body.title],
      ['body', body.body],
      ['state', 'open'],
    ] as const) {
      this.#supersede(name, event)
      this.#registers.set(name, value)
    }
    // Among several values of one field the greater label wins, as everywhere.
    for (const label of [...body.labels].sort(compareText)) {
      const key = parseScopedLabel(label)?.key
      const slot = slotOf({ kind: 'label', label })
      this.#supersede(slot, event)
      this.#present.add(slot)
      if (key === undefined) continue
      this.#supersede(slotOf({ kind: 'field', key }), event)
      this.#fieldLabels.set(key, label)
    }
  }

  #setRegister(event: Event, name: Register, value: string): void {
    const entry = this.#push(event, { kind: name }, this.#registers.get(name) ?? null, value)
    this.#registers.set(name, value)
    this.#decide(name, entry)
  }

  #setElement(event: Event, subject: Element, isAdded: boolean): Draft {
    const slot = slotOf(subject)
    const name = nameOf(subject)
    const entry = this.#push(event, subject, this.#present.has(slot) ? name : null, isAdded ? name : null)
    if (isAdded) this.#present.add(slot)
    else this.#present.delete(slot)
    this.#decide(slot, entry)
    return entry
  }

  #applyLabel(event: Event, { type, label }: EventBodyOf<'LabelAdded'> | EventBodyOf<'LabelRemoved'>): void {
    const isAdded = type === 'LabelAdded'
    const key = parseScopedLabel(label)?.key
    if (key === undefined) {
      this.endChange()
      this.#setElement(event, { kind: 'label', label }, isAdded)
      return
    }
    if (!this.#continuesChange(event, key, isAdded ? label : null)) {
      this.endChange()
      const decided = this.#deciding.get(slotOf({ kind: 'field', key }))
      this.#change = { key, old: this.#valueOf(key), decided, entries: [] }
    }
    this.#change?.entries.push(this.#setFieldLabel(event, key, label, isAdded))
    if (isAdded) this.endChange()
  }

  /**
   * A writer removes the other labels of the key and then adds the new one, each one millisecond after the last.
   * Nothing else shows which events belong together; when the clock is behind the log, two commands may look like one.
   */
  #continuesChange({ actor, tsUnixMs }: Event, key: FieldKey, added: string | null): boolean {
    if (this.#change === null || this.#change.key !== key) return false
    const last = this.#change.entries.at(-1)?.event
    if (last?.actor !== actor || last.tsUnixMs + 1 !== tsUnixMs) return false
    if (added === null) return true
    return !this.#change.entries.some(({ event: { body } }) => body.type === 'LabelRemoved' && body.label === added)
  }

  /** An event is about the field, unless the field has the same value before and after the change. */
  #setFieldLabel(event: Event, key: FieldKey, label: string, isAdded: boolean): Draft {
    const slot = slotOf({ kind: 'label', label })
    const wasPresent = this.#present.has(slot)
    if (isAdded) {
      this.#present.add(slot)
      this.#fieldLabels.set(key, label)
      this.#supersede(slot, event)
    } else this.#present.delete(slot)
    const [old, value] = [this.#change?.old ?? null, this.#valueOf(key)]
    const decidesField = isAdded || old !== value || this.#fieldLabels.get(key) === label
    if (!decidesField) {
      const entry = this.#push(event, { kind: 'label', label }, wasPresent ? label : null, null)
      this.#decide(slot, entry)
      return entry
    }
    const entry = this.#push(event, { kind: 'field', key }, old, value)
    this.#decide(slotOf({ kind: 'field', key }), entry)
    return entry
  }

  #valueOf(key: FieldKey): string | null {
    const label = this.#fieldLabels.get(key)
    if (label === undefined || !this.#present.has(slotOf({ kind: 'label', label }))) return null
    return parseScopedLabel(label)?.value ?? null
  }

  #push(event: Event, subject: Subject, old: string | null, value: string | null): Draft {
    const effective = old !== value
    const entry: Draft = { event, subject, old, new: value, effective, supersededBy: null, partOf: null }
    this.entries.push(entry)
    return entry
  }

  #decide(slot: string, entry: Draft): void {
    this.#supersede(slot, entry.event)
    this.#deciding.set(slot, entry)
  }

  #supersede(slot: string, event: Event): void {
    const known = this.#deciding.get(slot)
    if (known !== undefined) known.supersededBy = event.eventId
    this.#deciding.delete(slot)
  }
}

/** The same text for entries about the same thing. */
export function subjectSlot(subject: Changeable): string {
  switch (subject.kind) {
    case 'title':
    case 'body':
    case 'state':
      return subject.kind
    default:
      return slotOf(subject)
  }
}

function slotOf(subject: Element | Extract<Changeable, { readonly kind: 'field' }>): string {
  return subject.kind === 'field' ? `field ${subject.key}` : `${subject.kind} ${nameOf(subject)}`
}

function nameOf(subject: Element): string {
  switch (subject.kind) {
    case 'label':
      return subject.label
    case 'assignee':
      return subject.user
    case 'dependency':
      return `${subject.dependency.type} ${subject.dependency.target}`
  }
}
