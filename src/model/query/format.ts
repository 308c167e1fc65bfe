import { parseQualifier, type QualifierKey } from './qualifiers.ts'
import type { Query, QueryCondition, QueryTerm, Who } from './query.ts'
import { operatorWords } from './tokens.ts'

/** Formats a query as text that parses to the same query: one form per meaning, with quotes only where needed. */
export function formatQuery({ filter, sort, limit }: Query): string {
  return [
    ...(filter === null ? [] : [formatTerm(filter)]),
    ...(sort === null ? [] : [`sort:${sort.key}-${sort.direction}`]),
    ...(limit === null ? [] : [`limit:${limit}`]),
  ].join(' ')
}

function formatTerm(term: QueryTerm): string {
  switch (term.kind) {
    case 'all':
      return term.terms.map((each) => (each.kind === 'any' ? `(${formatTerm(each)})` : formatTerm(each))).join(' ')
    case 'any':
      return term.terms.map(formatTerm).join(' OR ')
    case 'not': {
      const inner = formatTerm(term.term)
      return term.term.kind === 'all' || term.term.kind === 'any' ? `-(${inner})` : `-${inner}`
    }
    default:
      return formatCondition(term)
  }
}

function formatCondition(condition: QueryCondition): string {
  switch (condition.kind) {
    case 'text':
      return isBareText(condition.text) ? condition.text : quote(condition.text)
    case 'id':
      return `id:${condition.prefix}`
    case 'state':
      return `state:${condition.state}`
    case 'label':
      return `label:${formatName('label', condition.label)}`
    case 'assignee':
      return `assignee:${formatWho('assignee', condition.who)}`
    case 'author':
      return `author:${formatWho('author', condition.who)}`
    case 'field':
      return `${condition.key}:${formatName(condition.key, condition.value)}`
    case 'compare':
      return `${condition.key}:${condition.operator === '=' ? '' : condition.operator}${condition.value}`
    case 'range':
      return `${condition.key}:${condition.from}..${condition.to}`
    case 'has':
      return `has:${condition.what}`
    case 'overdue':
      return 'is:overdue'
    case 'claimed':
    case 'ready':
    case 'blocked':
      return `is:${condition.kind}`
  }
}

function formatWho(key: 'assignee' | 'author', who: Who): string {
  return who.is === 'me' ? 'me' : formatName(key, who.name)
}

/** Quoted where it would split or change meaning otherwise: `assignee:"me"` is a name. */
function formatName(key: QualifierKey, name: string): string {
  if (!isBare(name)) return quote(name)
  const asIs = JSON.stringify(parseQualifier(key, name, false))
  return asIs === JSON.stringify(parseQualifier(key, name, true)) ? name : quote(name)
}

const isBare = (text: string) => text !== '' && !/[\s"()\\]/.test(text)

function isBareText(text: string): boolean {
  return isBare(text) && !text.startsWith('-') && !/^[A-Za-z][A-Za-z-]*:/.test(text) && !operatorWords.has(text)
}

function quote(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`
}
