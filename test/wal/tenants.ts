/** Tenants of the engine for the conformance suite: the issue log, a record stream, and two streams of plain texts. */
import { createHash } from 'node:crypto'
import type { RefName } from '../../src/git/index.ts'
import type { ChunkEvent } from '../../src/model/index.ts'
import {
  type CloneId,
  encodeRecord,
  type Incarnation,
  type Manifest,
  parseStreamId,
  type StreamId,
  streamRefOf,
} from '../../src/model/streams/index.ts'
import {
  type DivergencePolicy,
  type IssueBatch,
  type IssueSegment,
  issueLog,
  problemsOfEntry,
  type Segment,
  type SegmentCodec,
  type Stream,
  whyUnread,
} from '../../src/wal/index.ts'
import { loadSegmentTools } from '../../src/wal/streams/open-segment.ts'
import { sealInSteps } from '../../src/wal/streams/seal-records.ts'
import type { StoredRecord } from '../../src/wal/streams/stored-record.ts'
import { type SealedSegment, type StreamCommit, segmentStream } from '../../src/wal/streams/stream-codec.ts'
import { batchOf, creation, issueId } from '../support/log.ts'

/** A kind of stream in which a text identifies each item. */
export interface Tenant<Batch, Item, Sealed extends Segment<Item>> {
  readonly name: string
  readonly stream: Stream<Batch, Item, Sealed>
  /** A batch of one item for each text. */
  readonly batchOf: (texts: readonly string[]) => Batch
  readonly textsOf: (segment: Sealed) => readonly string[]
  /** Whether a file of a commit's tree holds items. */
  readonly holdsItems: (path: string) => boolean
  /** Exists only for tests. */
  readonly isOfTests: boolean
}

export type TextBatch = readonly string[]
export type TextSegment = Segment<string>

const markFile = 'texts.json'
const textsMax = 64 * 1024

/** One commit: `texts.json`, a list of texts. */
const textCodec: SegmentCodec<TextBatch, string> = {
  markFile,
  fileBytesMax: textsMax,
  comesFirst: (path) => path === markFile,
  encode: (batch) => ({
    files: new Map([[markFile, new TextEncoder().encode(JSON.stringify(batch))]]),
    message: `Texts: ${batch.length}`,
    identity: { name: 'texts', email: 'texts@local' },
    date: { unixSeconds: 1_700_000_000, offsetMinutes: 0 },
  }),
  decode(entry) {
    const problems = problemsOfEntry(entry)
    const items: string[] = []
    for (const file of entry.files.filter(({ path }) => path === markFile)) {
      const shared = { commit: entry.oid, objectId: file.oid, severity: 'damaged' } as const
      if (file.content === null) {
        problems.push({ ...shared, reason: `texts are ${file.problem}`, ...whyUnread(entry.oid, file) })
        continue
      }
      const texts = parseTexts(file.content)
      if (texts === null) problems.push({ ...shared, reason: 'texts are no list' })
      items.push(...(texts ?? []))
    }
    return { commit: entry.oid, parents: entry.parents, items, problems }
  },
  decodePair: () => null,
  // biome-ignore lint/correctness/useYield: a text is decoded in one step
  *decodeInSteps(entry) {
    return textCodec.decode(entry)
  },
}

function parseTexts(bytes: Uint8Array): string[] | null {
  try {
    const found: unknown = JSON.parse(new TextDecoder().decode(bytes))
    return Array.isArray(found) && found.every((text) => typeof text === 'string') ? found : null
  } catch {
    return null
  }
}

function textTenant(name: string, divergence: DivergencePolicy<TextBatch, TextSegment>) {
  const ref = `refs/grite/forks/${name}` as RefName
  const stream = { ref, title: `stream ${name}`, codec: textCodec, divergence, keepsReflog: true }
  return {
    name: `a stream of texts (${divergence.kind})`,
    stream,
    batchOf: (texts: readonly string[]): TextBatch => texts,
    textsOf: ({ items }: TextSegment) => items,
    holdsItems: (path: string) => path === markFile,
    isOfTests: true,
  } satisfies Tenant<TextBatch, string, TextSegment>
}

export const unitedTexts = textTenant('united', {
  kind: 'union',
  idsOf: ({ items }) => items,
  bytesOf: ({ items }) => items.join('').length,
  batchesOfMissing: (segments, isMissing) => {
    const missing = [...new Set(segments.flatMap(({ items }) => items))].filter(isMissing)
    return missing.length === 0 ? [] : [missing]
  },
  countOf: (batch) => batch.length,
})

export const refusingTexts = textTenant('refusing', { kind: 'refuse' })

export const issueTenant: Tenant<IssueBatch, ChunkEvent, IssueSegment> = {
  name: 'the issue log',
  stream: issueLog,
  batchOf: (texts) => batchOf(texts.map((text) => creation(issueId(shaOf(text)), text))),
  textsOf: ({ items }) => items.flatMap(({ event: { body } }) => (body.type === 'IssueCreated' ? [body.title] : [])),
  holdsItems: (path) => path.endsWith('.bin'),
  isOfTests: false,
}

const shaOf = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 32)

const tools = await loadSegmentTools()
const recordStreamId = parseStreamId('texts')

/** The first commit of a root. */
export function genesisOf(streamId: StreamId): Manifest {
  return {
    ...{ streamId, incarnation: '0123456789abcdef' as Incarnation, generation: 0 },
    epoch: { number: 1, owner: '0123456789abcdef0123456789abcdef' as CloneId },
    lineage: {
      ...{ kind: 'root', parents: [] },
      metadata: { createdTs: 1_700_000_000_000, actor: null, reason: null, labels: [], retention: null },
    },
    ...{ commitCount: 1, firstOffset: 0, count: 0, content: null, producers: [], entries: 0, peaks: [] },
    act: { name: 'genesis' },
  }
}

/** The codec judges each commit by itself, so every batch may go on from it. */
const genesis = genesisOf(recordStreamId)

export const recordTenant: Tenant<StreamCommit, StoredRecord, SealedSegment> = {
  name: 'a record stream',
  stream: segmentStream(streamRefOf(recordStreamId, 0) as RefName, 'texts', tools),
  batchOf(texts) {
    const empty = { writer: null, key: null, contentType: null, headers: [], producer: null }
    const records = texts.map((text) =>
      encodeRecord({ ...empty, tsUnixMs: 1_700_000_000_000, payload: new TextEncoder().encode(text) }),
    )
    const steps = sealInSteps(tools, genesis, records)
    for (let step = steps.next(); ; step = steps.next()) if (step.done === true) return step.value
  },
  textsOf: ({ items }) => items.map((item) => new TextDecoder().decode(item.record().payload)),
  holdsItems: (path) => path.startsWith('segment.cbor'),
  isOfTests: false,
}
