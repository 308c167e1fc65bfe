/**
 * Many operations as one atomic commit: NDJSON in, one result per line out. Operations reuse the plans of
 * `issue/changes.ts` and its neighbours, so a batch can do nothing that the commands cannot.
 */
import {
  describeForeign,
  type EventId,
  InvalidArgsError,
  type IssueId,
  limits,
  parseForeignJson,
  shape,
  shortenText,
} from '../model/index.ts'
import type { Draft } from '../tracker/draft.ts'
import type { CommandContext } from '../tracker/effects.ts'
import { readAssigneeWords } from '../tracker/issues/assignee-words.ts'
import { atLine } from '../tracker/issues/at-line.ts'
import { addDependency, removeDependency, requireDependencyType } from '../tracker/issues/change-dependencies.ts'
import {
  addAssignee,
  addComment,
  addLabel,
  addLink,
  changeState,
  createIssue,
  removeAssignee,
  removeLabel,
  updateIssue,
} from '../tracker/issues/changes.ts'
import { requireLabelChanges, requireOneValueEach, splitLabels } from '../tracker/issues/field-values.ts'
import { resolveIssue, resolveIssueOrId } from '../tracker/issues/resolve-issue.ts'
import { type DataOf, defineCommand, type GivenInput } from './define-command.ts'
import { readFieldChanges } from './issue/issue-input.ts'

interface Operation {
  /** 1-based line of the input. */
  readonly line: number
  readonly op: string
  readonly fields: Readonly<Record<string, unknown>>
}

interface OperationResult {
  readonly line: number
  readonly op: string
  readonly issue_id: IssueId
  readonly event_id: EventId | null
  readonly event_ids: readonly EventId[]
}

const fieldNames = ['priority', 'type', 'status', 'due', 'defer', 'parent', 'milestone'] as const

/** Keys of each operation besides `op`. An unknown key is an error that lists them. */
const operationKeys = {
  create: ['title', 'body', 'labels', 'assignees', ...fieldNames, 'set', 'as'],
  update: [...['issue', 'title', 'body', 'add_labels', 'remove_labels', 'assignees', 'unassign'], ...fieldNames, 'set'],
  comment: ['issue', 'body'],
  label: ['issue', 'add', 'remove'],
  assign: ['issue', 'add', 'remove'],
  close: ['issue', 'comment'],
  reopen: ['issue', 'comment'],
  link: ['issue', 'url', 'note'],
  dep_add: ['issue', 'target', 'type'],
  dep_remove: ['issue', 'target', 'type'],
} as const

export const batch = defineCommand({
  name: 'batch',
  summary: 'Apply many operations from standard input as one commit',
  description: [
    'Each line of the input is a JSON object with an `op`:',
    ...Object.entries(operationKeys).map(([op, keys]) => `  ${op}: ${keys.join(', ')}`),
    'With `"as": "name"` on a create, later lines refer to the new issue as `"@name"`. The batch is atomic: if a line ' +
      'is invalid, nothing is written.',
  ].join('\n'),
  examples: [
    {
      command: `printf '%s\\n' '{"op":"create","title":"Epic","as":"e"}' '{"op":"comment","issue":"@e","body":"Go"}' | grite batch`,
      explains: 'create an issue and comment on it',
    },
  ],
  served: true,
  effect: 'adds',
  readsStdin: 'The operations, one JSON object per line',
  arguments: {},
  options: {},
  async run(context) {
    const { clock } = context
    const operations = await readOperations(context)
    const repository = await context.repository()
    const { head, result } = await repository.write(async (draft) => {
      const named = new Map<string, IssueId>()
      const results: OperationResult[] = []
      for (const operation of operations) {
        try {
          results.push(await apply(draft, operation, { clock, repository: context.repository, named }))
        } catch (error) {
          throw atLine(operation.line, error)
        }
      }
      return results
    })
    return { data: { results: result, total: result.length, wal_head: head } }
  },
})

export type BatchInput = GivenInput<typeof batch>
export type BatchData = DataOf<typeof batch>

async function readOperations(context: CommandContext): Promise<Operation[]> {
  const operations: Operation[] = []
  let line = 0
  let bytes = 0
  for await (const text of context.text.readStdinLines()) {
    line += 1
    bytes += Buffer.byteLength(text) + 1
    if (bytes > limits.batchInputBytesMax) throw tooMuch(line, 'bytes', limits.batchInputBytesMax)
    if (text.trim() === '') continue
    operations.push(parseOperation(text, line))
    if (operations.length > limits.batchOperationsMax) throw tooMuch(line, 'operations', limits.batchOperationsMax)
  }
  return operations
}

/** The whole input is read before anything is written, so it has to be bounded. */
function tooMuch(line: number, unit: string, max: number): InvalidArgsError {
  return new InvalidArgsError(`line ${line}: a batch can have at most ${max} ${unit}`, {
    details: { line, field: unit, [`${unit}_max`]: max },
    hints: ['Split the input into several batches'],
  })
}

function parseOperation(text: string, line: number): Operation {
  const { value, problem } = parseForeignJson(text, shape.record(shape.anything), {
    name: `line ${line}`,
    sizeMax: limits.lineBytesMax,
  })
  if (problem !== null) {
    const { message, detail } = problem
    throw new InvalidArgsError(detail === null ? message : `${message}: ${detail}`, {
      details: { line, field: 'line' },
    })
  }
  const { op, ...fields } = Object.fromEntries(value)
  const ops = Object.keys(operationKeys)
  if (typeof op !== 'string' || !ops.includes(op)) {
    throw refuse(line, 'op', `must be one of ${ops.join(', ')}, got ${describeForeign(op)}`)
  }
  const allowed: readonly string[] = operationKeys[op as keyof typeof operationKeys]
  for (const key of Object.keys(fields)) {
    if (!allowed.includes(key))
      throw refuse(line, shortenText(key, 80), `is not a key of ${op}; allowed keys: ${allowed.join(', ')}`)
  }
  return { line, op, fields }
}

function refuse(line: number, field: string, problem: string): InvalidArgsError {
  return new InvalidArgsError(`line ${line}: ${field} ${problem}`, { details: { line, field } })
}

/** The batch that an operation belongs to. */
interface Batch extends Pick<CommandContext, 'clock' | 'repository'> {
  /** Issues created on earlier lines, by their `as`. */
  readonly named: Map<string, IssueId>
}

async function apply(draft: Draft, operation: Operation, batch: Batch): Promise<OperationResult> {
  const { named } = batch
  const { line, op } = operation
  const text = (key: string) => optionalText(operation, key)
  const texts = (key: string) => optionalTexts(operation, key)
  const done = (issueId: IssueId, eventIds: readonly EventId[]) => ({
    line,
    op,
    issue_id: issueId,
    event_id: eventIds.at(-1) ?? null,
    event_ids: eventIds,
  })
  if (op === 'create') {
    const created = await createIssue(draft, {
      title: requiredText(operation, 'title'),
      body: text('body') ?? '',
      labels: texts('labels'),
      assignees: (await readAssigneeWords(batch.repository, { assign: texts('assignees'), unassign: [] })).add,
      fields: readFields(operation, batch),
    })
    const name = text('as')
    if (name !== undefined && named.has(name))
      throw refuse(line, 'as', `'${shortenText(name, 80)}' is already used on an earlier line`)
    if (name !== undefined) named.set(name, created.issueId)
    return done(created.issueId, [created.eventId])
  }
  const issueId = await findIssue(draft, operation, requiredText(operation, 'issue'), named)
  switch (op as Exclude<keyof typeof operationKeys, 'create'>) {
    case 'update': {
      const fields = readFields(operation, batch)
      const labels = { add: texts('add_labels'), remove: texts('remove_labels') }
      requireLabelChanges(labels, fields)
      const people = { assign: texts('assignees'), unassign: texts('unassign') }
      const assignees = await readAssigneeWords(batch.repository, people)
      const update = { title: text('title'), body: text('body'), fields, labels, assignees }
      return done(issueId, await updateIssue(draft, issueId, update))
    }
    case 'comment':
      return done(issueId, await addComment(draft, issueId, requiredText(operation, 'body'), null))
    case 'label':
      requireOneValueEach(splitLabels(texts('add')).fields)
      return done(issueId, await changeWords(draft, issueId, texts, addLabel, removeLabel))
    case 'assign':
      return done(issueId, await changeWords(draft, issueId, texts, addAssignee, removeAssignee))
    case 'close':
    case 'reopen': {
      const changed = await changeState(draft, issueId, op === 'close' ? 'closed' : 'open')
      const comment = text('comment')
      const said = comment === undefined ? [] : await addComment(draft, issueId, comment, null)
      return done(issueId, [...said, ...changed])
    }
    case 'link':
      return done(issueId, await addLink(draft, issueId, requiredText(operation, 'url'), text('note') ?? null))
    case 'dep_add':
    case 'dep_remove': {
      const [resolve, change] = op === 'dep_add' ? [resolveIssue, addDependency] : [resolveIssueOrId, removeDependency]
      const target = await findIssue(draft, operation, requiredText(operation, 'target'), named, resolve)
      const type = requireDependencyType(text('type') ?? 'depends_on')
      return done(issueId, (await change(draft, { source: issueId, target, type })).eventIds)
    }
  }
  throw refuse(line, 'op', `${describeForeign(op)} cannot be applied`)
}

type ChangeWord = (draft: Draft, issueId: IssueId, word: string) => Promise<EventId[]>

async function changeWords(
  draft: Draft,
  issueId: IssueId,
  texts: (key: string) => readonly string[],
  add: ChangeWord,
  remove: ChangeWord,
): Promise<EventId[]> {
  const eventIds: EventId[] = []
  for (const word of texts('add')) eventIds.push(...(await add(draft, issueId, word)))
  for (const word of texts('remove')) eventIds.push(...(await remove(draft, issueId, word)))
  return eventIds
}

async function findIssue(
  draft: Draft,
  { line }: Operation,
  typed: string,
  named: ReadonlyMap<string, IssueId>,
  resolve = resolveIssue,
): Promise<IssueId> {
  if (!typed.startsWith('@')) return resolve(await draft.view(), typed)
  const issueId = named.get(typed.slice(1))
  if (issueId === undefined)
    throw refuse(line, 'issue', `'${shortenText(typed, 80)}' is not defined by a create on an earlier line`)
  return issueId
}

function readFields(operation: Operation, { clock, named }: Batch) {
  const text = (key: string) => optionalText(operation, key)
  const parent = text('parent')
  const set = operation.fields.set ?? {}
  if (typeof set !== 'object' || set === null || Array.isArray(set))
    throw refuse(operation.line, 'set', 'must be an object')
  const fields = {
    priority: text('priority'),
    type: text('type'),
    status: text('status'),
    due: text('due'),
    defer: text('defer'),
    milestone: text('milestone'),
    parent: parent?.startsWith('@') ? (named.get(parent.slice(1)) ?? parent) : parent,
    set: Object.entries(set).map(([key, value]) => {
      if (typeof value !== 'string')
        throw refuse(operation.line, `set.${shortenText(key, 80)}`, `must be text, got ${describeForeign(value)}`)
      return `${key}=${value}`
    }),
  }
  return readFieldChanges(fields, clock)
}

function requiredText(operation: Operation, key: string): string {
  const value = optionalText(operation, key)
  if (value === undefined) throw refuse(operation.line, key, `is required for ${operation.op}`)
  return value
}

function optionalText({ line, fields }: Operation, key: string): string | undefined {
  const value = fields[key]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string') throw refuse(line, key, `must be text, got ${describeForeign(value)}`)
  return value
}

function optionalTexts({ line, fields }: Operation, key: string): readonly string[] {
  const value = fields[key] ?? []
  if (!Array.isArray(value) || value.some((item) => typeof item !== 'string')) {
    throw refuse(line, key, `must be a list of strings, got ${describeForeign(value)}`)
  }
  return value as string[]
}
