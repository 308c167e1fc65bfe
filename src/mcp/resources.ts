/** Resources: what a client can read without calling a tool, by URI. */
import type { Resource, ResourceTemplate } from '@modelcontextprotocol/sdk/types.js'
import type { StreamListData } from '../commands/stream/list.ts'
import type { StreamReadData } from '../commands/stream/read.ts'
import { GriteError, InvalidArgsError } from '../model/errors/index.ts'
import type { CallFacts, Calls } from './calls.ts'
import { type Answered, formatAnswer, formatText, requireFitting } from './results.ts'

/** What a URI names. */
export type ResourceName =
  | { readonly kind: 'prime' | 'ready' }
  | { readonly kind: 'issue' | 'stream'; readonly id: string }

const scheme = 'grite://'

/** Streams in the list of resources; others can be read, too. */
const streamsListedMax = 50
/** Records of a tail: as many of them as fit. */
const tailLengths = [20, 5, 1] as const

const mimeType = 'application/json'

export const resourceTemplates: readonly ResourceTemplate[] = [
  {
    ...{ name: 'issue', uriTemplate: `${scheme}issue/{id}`, mimeType },
    description: 'An issue with its text, comments and relations; the id, or a unique prefix of it',
  },
  {
    ...{ name: 'stream', uriTemplate: `${scheme}stream/{+id}`, mimeType },
    description: `The last records of a stream, at most ${tailLengths[0]}`,
  },
]

const fixedResources: readonly Resource[] = [
  { name: 'prime', uri: `${scheme}prime`, mimeType, description: 'A short status: your issues, ready ones, memories' },
  { name: 'ready', uri: `${scheme}ready`, mimeType, description: 'The issues that are ready to work on' },
]

/** @throws {InvalidArgsError} when nothing has such a URI */
export function parseResourceUri(uri: string): ResourceName {
  const [, kind, id] = /^grite:\/\/(prime|ready|issue|stream)(?:\/(.+))?$/s.exec(uri) ?? []
  if ((kind === 'prime' || kind === 'ready') && id === undefined) return { kind }
  const decoded = id === undefined ? undefined : decode(id)
  if ((kind === 'issue' || kind === 'stream') && decoded !== undefined) return { kind, id: decoded }
  const allowed = [...fixedResources.map((each) => each.uri), ...resourceTemplates.map((each) => each.uriTemplate)]
  throw new InvalidArgsError(`no resource has the URI '${uri}'; there are ${allowed.join(', ')}`, {
    details: { field: 'uri', value: uri, allowed },
  })
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/** The resources that a client can show to choose from. Issues are found by a search. */
export async function listResources(calls: Calls, facts: CallFacts): Promise<Resource[]> {
  const found = await calls.read('stream list', { limit: streamsListedMax }, facts).catch((error: unknown) => {
    // Where there is no repository, there are no streams.
    if (error instanceof GriteError) return undefined
    throw error
  })
  const { streams } = (found?.data as StreamListData | undefined) ?? { streams: [] }
  const tails = streams.map(({ stream }) => ({ name: stream, uri: `${scheme}stream/${stream}`, mimeType }))
  return [...fixedResources, ...tails]
}

/** Reads a resource as text. @throws {GriteError} */
export async function readResource(calls: Calls, name: ResourceName, facts: CallFacts): Promise<string> {
  const format = (answered: Answered) => requireFitting(formatText(formatAnswer(answered)))
  switch (name.kind) {
    case 'prime':
      return format(await calls.read('prime', {}, facts))
    case 'ready':
      return format(await calls.read('ready', { limit: streamsListedMax }, facts))
    case 'issue':
      return format(await calls.read('issue show', { issue: name.id, noEvents: true }, facts))
    case 'stream':
      return readTail(calls, name.id, facts, format)
  }
}

async function readTail(
  calls: Calls,
  stream: string,
  facts: CallFacts,
  format: (answered: Answered) => string,
): Promise<string> {
  const first = (await calls.read('stream read', { stream, limit: 1 }, facts)).data as StreamReadData
  const oldest = first.records[0]?.offset ?? 0
  let failure: unknown
  for (const limit of tailLengths) {
    const from = Math.max(oldest, first.end_offset - limit)
    try {
      return format(await calls.read('stream read', { stream, from, limit }, facts))
    } catch (error) {
      // Fewer of these records may fit.
      if (!(error instanceof InvalidArgsError)) throw error
      failure = error
    }
  }
  throw failure
}

/** The whole id of an issue. @throws {NotFoundError} */
export async function findIssueId(calls: Calls, issue: string, facts: CallFacts): Promise<string> {
  const { data } = await calls.read('issue show', { issue, fields: 'issue_id' }, facts)
  return (data as { readonly issue: { readonly issue_id: string } }).issue.issue_id
}
