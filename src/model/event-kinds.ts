import type { IssueId, Sha256Hex } from './ids.ts'

/** `[name, kind, line_start, line_end]`, lines 1-based and inclusive. */
export interface SourceSymbol {
  readonly name: string
  readonly kind: string
  readonly lineStart: number
  readonly lineEnd: number
}

export const issueStates = ['open', 'closed'] as const
export type IssueStateWord = (typeof issueStates)[number]

export const dependencyTypes = ['blocks', 'depends_on', 'related_to'] as const
export type DependencyType = (typeof dependencyTypes)[number]

/** The domain type of each wire type. */
interface WireTypes {
  text: string
  optionalText: string | null
  /** Sorted by UTF-8 bytes in the record, duplicates kept. */
  sortedTexts: readonly string[]
  issueState: IssueStateWord
  dependencyType: DependencyType
  issueId: IssueId
  sha256: Sha256Hex
  /** Sorted by (name, kind) in the record, stable. */
  sortedSymbols: readonly SourceSymbol[]
}
export type WireType = keyof WireTypes

/**
 * Wire tag and payload of every event kind (docs/format.md, spec §2.2). Fields are in payload order; their names are
 * the JSON names. A released tag is never reused, and tags above 14 do not exist.
 */
export const eventKinds = {
  IssueCreated: { tag: 1, fields: { title: 'text', body: 'text', labels: 'sortedTexts' } },
  IssueUpdated: { tag: 2, fields: { title: 'optionalText', body: 'optionalText' } },
  CommentAdded: { tag: 3, fields: { body: 'text' } },
  LabelAdded: { tag: 4, fields: { label: 'text' } },
  LabelRemoved: { tag: 5, fields: { label: 'text' } },
  StateChanged: { tag: 6, fields: { state: 'issueState' } },
  LinkAdded: { tag: 7, fields: { url: 'text', note: 'optionalText' } },
  AssigneeAdded: { tag: 8, fields: { user: 'text' } },
  AssigneeRemoved: { tag: 9, fields: { user: 'text' } },
  AttachmentAdded: { tag: 10, fields: { name: 'text', sha256: 'sha256', mime: 'text' } },
  DependencyAdded: { tag: 11, fields: { target: 'issueId', dep_type: 'dependencyType' } },
  DependencyRemoved: { tag: 12, fields: { target: 'issueId', dep_type: 'dependencyType' } },
  ContextUpdated: {
    tag: 13,
    fields: {
      path: 'text',
      language: 'text',
      symbols: 'sortedSymbols',
      summary: 'text',
      content_hash: 'sha256',
    },
  },
  ProjectContextUpdated: { tag: 14, fields: { key: 'text', value: 'text' } },
} as const satisfies Record<string, { tag: number; fields: Record<string, WireType> }>

export type EventKindName = keyof typeof eventKinds

type PayloadOf<Name extends EventKindName> = {
  readonly [Field in keyof (typeof eventKinds)[Name]['fields']]: WireTypes[(typeof eventKinds)[Name]['fields'][Field] &
    WireType]
}

/** The body of an event: its kind's name and fields, as one discriminated union. */
export type EventBody = { [Name in EventKindName]: { readonly type: Name } & PayloadOf<Name> }[EventKindName]
export type EventBodyOf<Name extends EventKindName> = Extract<EventBody, { readonly type: Name }>

export const eventKindNames = Object.keys(eventKinds) as EventKindName[]

const namesByTag = new Map<number, EventKindName>(eventKindNames.map((name) => [eventKinds[name].tag, name]))

/** The kind with this wire tag; undefined when this version does not know it. */
export function findEventKind(tag: number): EventKindName | undefined {
  return namesByTag.get(tag)
}
