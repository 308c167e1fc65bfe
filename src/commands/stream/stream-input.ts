/** Options and parts that several commands of streams share. */
import { compareText, InvalidArgsError } from '../../model/index.ts'
import { type Labels, parseStreamId, type StreamId } from '../../model/streams/index.ts'
import type { CommandContext, Warning } from '../../tracker/effects.ts'
import { parseDuration } from '../../tracker/parse-time.ts'
import { describeDamage } from '../../tracker/streams/open-streams.ts'
import { parsePair } from '../../tracker/streams/record-filter.ts'
import { explainUnknown } from '../../tracker/streams/stream-target.ts'
import type { Workspace } from '../../tracker/workspace.ts'
import type { LocalDurability, RecordDraft, StreamDamage, StreamStore } from '../../wal/streams/index.ts'

export const streamArgument = { summary: 'Id of the stream', completes: 'stream' } as const

export const labelOption = {
  type: 'text',
  valueName: 'key=value',
  repeatable: true,
  summary: 'Label of the stream',
} as const

export const remoteOption = {
  type: 'text',
  valueName: 'name',
  summary: 'Remote or URL; default: the home remote, origin',
  completes: 'remote',
} as const

export const reasonOption = { type: 'text', valueName: 'text', summary: 'Why the stream exists' } as const

export const durabilityOption = {
  type: 'text',
  choices: ['memory', 'local', 'replicated'],
  summary:
    'What is acknowledged: records in the memory of the system, flushed to the disk, or accepted by the remote; default local',
} as const

/** How an append waits for the remote. */
export const replicationOptions = {
  timeout: {
    type: 'text',
    valueName: '30s',
    summary: 'With --durability replicated, wait this long for the remote; default 60s',
  },
  remote: {
    type: 'text',
    valueName: 'name',
    summary: 'With --durability replicated, this remote; default: the home remote, origin',
    completes: 'remote',
  },
} as const

export interface ReplicationInput {
  readonly durability: string | undefined
  readonly timeout: string | undefined
  readonly remote: string | undefined
}

/** Waits for the remote where the user asked for it. @returns the level reached */
export async function reachLevel<Level extends LocalDurability | null>(
  context: CommandContext,
  repository: Workspace,
  { durability, timeout, remote }: ReplicationInput,
  appended: { readonly streamId: StreamId; readonly nextOffset: number; readonly level: Level },
): Promise<Level | 'replicated'> {
  if (durability !== 'replicated' || appended.level === null) return appended.level
  const { replicate } = await import('../../tracker/streams/replicate.ts')
  const timeoutMs = timeout === undefined ? 60_000 : parseDuration('timeout', timeout, { msMin: 1, msMax: 86_400_000 })
  const { streamId, nextOffset } = appended
  const reached = await replicate(context, repository, { streamId, nextOffset, cwd: context.cwd, remote, timeoutMs })
  return reached === 'replicated' ? reached : appended.level
}

/** How a reader follows a stream of other clones. */
export const fetchOptions = {
  fetch: {
    type: 'text',
    valueName: '30s|1m',
    summary: 'Also fetch the stream from the remote, at once and then this often',
  },
  remote: { ...remoteOption, summary: 'With --fetch, this remote; default: the home remote, origin' },
} as const

export const keyOption = { type: 'text', valueName: 'key', short: 'k', summary: 'Key of the record' } as const

export const headerOption = {
  type: 'text',
  valueName: 'name=value',
  short: 'H',
  repeatable: true,
  summary: 'Header of the record',
} as const

export const contentTypeOption = { type: 'text', valueName: 'type', summary: 'Content type of the record' } as const

/** Options that select records. */
export const filterOptions = {
  key: { type: 'text', valueName: 'key', summary: 'Only records with this key' },
  where: {
    type: 'text',
    valueName: 'name=value',
    repeatable: true,
    summary: 'Only records with this header; all that are given must hold',
  },
} as const

export const base64Option = {
  type: 'boolean',
  summary: 'Payloads and keys are base64 even where they are text',
} as const

/** A stream that one request works with. */
export interface OpenStream {
  readonly repository: Workspace
  readonly streams: StreamStore
  readonly streamId: StreamId
}

/** Runs work on a stream; the error of an unknown one names ids that resemble it. */
export async function onStream<Result>(
  context: CommandContext,
  id: string,
  work: (open: OpenStream) => Promise<Result>,
): Promise<Result> {
  const streamId = parseStreamId(id)
  const repository = await context.repository()
  const streams = await repository.streams()
  try {
    return await work({ repository, streams, streamId })
  } catch (error) {
    throw await explainUnknown(streams, streamId, error)
  }
}

/** @throws {InvalidArgsError} naming the label that is wrong or there twice */
export function parseLabels(texts: readonly string[]): Labels {
  const labels = texts.map((text) => parsePair('label', text)).sort(([left], [right]) => compareText(left, right))
  const double = labels.find(([key], index) => key === labels[index + 1]?.[0])
  if (double === undefined) return labels
  throw new InvalidArgsError(`--label has the key '${double[0]}' twice`, {
    details: { field: 'label', value: double[0] },
  })
}

/** @throws {InvalidArgsError} naming the header that is wrong or there twice */
export function parseHeaders(texts: readonly string[]): readonly (readonly [string, string])[] {
  const headers = texts.map((text) => parsePair('header', text))
  const names = new Set<string>()
  for (const [name] of headers) {
    if (names.has(name)) {
      throw new InvalidArgsError(`--header has the name '${name}' twice`, { details: { field: 'header', value: name } })
    }
    names.add(name)
  }
  return headers
}

/** Parses `<id>:<sequence>`; the id may contain colons. @throws {InvalidArgsError} */
export function parseProducer(text: string | undefined): RecordDraft['producer'] {
  if (text === undefined) return null
  const [, id = '', digits = ''] = /^(.+):(\d+)$/s.exec(text) ?? []
  const sequence = Number(digits)
  if (id !== '' && Number.isSafeInteger(sequence)) return { id, sequence }
  throw new InvalidArgsError(`--producer must be <id>:<sequence>, got '${text}'`, {
    details: { field: 'producer', value: text, allowed: '<id>:<sequence>' },
  })
}

/** The input check allows no other text. */
export const durabilityOf = (text: string | undefined): LocalDurability => (text === 'memory' ? 'memory' : 'local')

/** Warns of each unreadable part. */
export function warnOfDamage(warn: (warning: Warning) => void): (damage: StreamDamage) => void {
  return (damage) => warn({ code: 'stream-damage', message: describeDamage(damage), details: { ...damage } })
}
