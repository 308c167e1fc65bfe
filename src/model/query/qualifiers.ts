/** The values of each qualifier, in one table: for the parser, options of the same name, docs and tests. */
import { issueStates } from '../event-kinds.ts'
import { isFieldValue } from '../fields.ts'
import { parseAge, parseDay, parseTimeSpan } from '../moment.ts'
import {
  hasWords,
  not,
  type OrderedKey,
  operators,
  type QueryCondition,
  type QueryTerm,
  querySortKeys,
  type Who,
} from './query.ts'

interface Qualifier {
  /** The allowed values, for people. */
  readonly allowed: string
  /** All allowed values, when they are a few words. */
  readonly choices?: readonly string[]
  /** Undefined for a value that is not allowed. */
  readonly parse: (value: string, quoted: boolean) => QueryTerm | undefined
}

const stateChoices = [...issueStates, 'all'] as const
const isChoices = [...issueStates, 'overdue', 'claimed', 'ready', 'blocked'] as const
const times = 'an age such as <7d or >30d, a day such as 2026-01-31 or >=2026-01-31, or a range with .. between'

export const qualifiers = {
  state: {
    allowed: 'open, closed or all',
    choices: stateChoices,
    parse: (value) => findChoice(stateChoices, value, (state) => ({ kind: 'state', state })),
  },
  is: {
    allowed: 'open, closed, overdue, claimed, ready or blocked',
    choices: isChoices,
    parse: (value) =>
      findChoice(isChoices, value, (word) =>
        word === 'open' || word === 'closed' ? { kind: 'state', state: word } : { kind: word },
      ),
  },
  label: { allowed: 'a label', parse: named((label) => ({ kind: 'label', label })) },
  assignee: { allowed: 'me, none or a name', parse: orNone('assignee', named(asWho('assignee'))) },
  author: {
    allowed: 'me, the name of an actor, an actor id or the beginning of one',
    parse: named((value, quoted) => asWho('author')(isHex(value) ? value.toLowerCase() : value, quoted)),
  },
  type: {
    allowed: 'a type or none',
    parse: orNone(
      'type',
      named((value) => ({ kind: 'field', key: 'type', value })),
    ),
  },
  status: {
    allowed: 'a status or none',
    parse: orNone(
      'status',
      named((value) => ({ kind: 'field', key: 'status', value })),
    ),
  },
  milestone: {
    allowed: 'a milestone or none',
    parse: orNone(
      'milestone',
      named((value) => ({ kind: 'field', key: 'milestone', value })),
    ),
  },
  parent: {
    allowed: 'an issue id, the beginning of one, or none',
    parse: orNone(
      'parent',
      named((value) => ({ kind: 'field', key: 'parent', value })),
    ),
  },
  priority: {
    allowed: 'P0, P1, P2, P3, P4, a comparison such as <=P1, a range such as P0..P2, or none',
    parse: orNone('priority', ordered('priority')),
  },
  due: {
    allowed: 'a day such as 2026-12-01 or <2026-12-01, days left such as <7d, a range with .. between, overdue or none',
    parse: (value, quoted) =>
      value === 'overdue' ? { kind: 'overdue' } : orNone('due', ordered('due'))(value, quoted),
  },
  defer: {
    allowed: 'a day such as 2026-12-01 or <=2026-12-01, days left such as <7d, a range with .. between, or none',
    parse: orNone('defer', ordered('defer')),
  },
  created: { allowed: times, parse: ordered('created') },
  updated: { allowed: times, parse: ordered('updated') },
  closed: { allowed: times, parse: ordered('closed') },
  commented: { allowed: times, parse: ordered('commented') },
  text: { allowed: 'a text', parse: named((text) => ({ kind: 'text', text })) },
  id: {
    allowed: 'the beginning of an issue id',
    parse: (value) => (isHex(value) ? { kind: 'id', prefix: value.toLowerCase() } : undefined),
  },
  has: {
    allowed: hasWords.join(', '),
    choices: hasWords,
    parse: (value) => findChoice(hasWords, value, (what) => ({ kind: 'has', what })),
  },
  no: {
    allowed: hasWords.join(', '),
    choices: hasWords,
    parse: (value) => findChoice(hasWords, value, (what) => not({ kind: 'has', what })),
  },
} as const satisfies Record<string, Qualifier>

export type QualifierKey = keyof typeof qualifiers
export const qualifierKeys = Object.keys(qualifiers) as QualifierKey[]

export function isQualifierKey(text: string): text is QualifierKey {
  return Object.hasOwn(qualifiers, text)
}

/** The condition of a qualifier's value; undefined when it is not allowed. Quoted `me` and `none` are plain names. */
export function parseQualifier(key: QualifierKey, value: string, quoted: boolean): QueryTerm | undefined {
  return (qualifiers[key] as Qualifier).parse(value, quoted)
}

/** Words that apply to the whole query instead of adding a condition. */
export const directives = {
  sort: `${querySortKeys.join(', ')}, each optionally with -asc or -desc`,
  limit: 'a whole number from 0',
} as const

type Parse = Qualifier['parse']

function named(make: (value: string, quoted: boolean) => QueryTerm): Parse {
  return (value, quoted) => (value === '' ? undefined : make(value, quoted))
}

/** Unquoted `none` matches issues without a value. */
function orNone(what: (typeof hasWords)[number], parse: Parse): Parse {
  return (value, quoted) => (value === 'none' && !quoted ? not({ kind: 'has', what }) : parse(value, quoted))
}

function asWho(kind: 'assignee' | 'author'): (value: string, quoted: boolean) => QueryTerm {
  return (name, quoted) => {
    const who: Who = name === 'me' && !quoted ? { is: 'me' } : { is: 'named', name }
    return { kind, who }
  }
}

const isHex = (text: string) => /^[0-9a-f]{1,32}$/i.test(text)

/** Choices match in any letter case. */
function findChoice<Choice extends string>(
  choices: readonly Choice[],
  value: string,
  make: (choice: Choice) => QueryTerm,
): QueryTerm | undefined {
  const choice = choices.find((word) => word === value.toLowerCase())
  return choice === undefined ? undefined : make(choice)
}

/** `value`, `<value`, `<=value`, `>value`, `>=value` or `from..to`. */
function ordered(key: OrderedKey): Parse {
  return (text) => {
    const [, from, to] = /^(.+?)\.\.(.+)$/.exec(text) ?? []
    if (from !== undefined && to !== undefined) return rangeOf(key, from, to)
    const operator = operators.find((each) => text.startsWith(each)) ?? '='
    const value = normalize(key, text.startsWith(operator) ? text.slice(operator.length) : text)
    if (value === undefined || (operator === '=' && isAge(value))) return undefined
    return { kind: 'compare', key, operator, value }
  }
}

/** A range includes both ends; they are of the same type, in ascending order. */
function rangeOf(key: OrderedKey, fromText: string, toText: string): QueryCondition | undefined {
  const [from, to] = [normalize(key, fromText), normalize(key, toText)]
  if (from === undefined || to === undefined || isAge(from) !== isAge(to)) return undefined
  return orderOf(from) <= orderOf(to) ? { kind: 'range', key, from, to } : undefined
}

/** A value in its stored form; undefined when the key cannot have it. */
function normalize(key: OrderedKey, text: string): string | undefined {
  switch (key) {
    case 'priority': {
      const priority = `P${text.replace(/^p/i, '')}`
      return isFieldValue('priority', priority) ? priority : undefined
    }
    case 'due':
    case 'defer':
      return parseDay(text) !== undefined || (isAge(text) && /(?:[dwy]|mo)$/.test(text)) ? text : undefined
    case 'created':
    case 'updated':
    case 'closed':
    case 'commented':
      return isAge(text) || parseTimeSpan(text) !== undefined ? text : undefined
  }
}

const isAge = (text: string) => parseAge(text) !== undefined

const orderOf = (value: string) => parseAge(value) ?? parseTimeSpan(value)?.first ?? Number(value.slice(1))
