import type { RefName } from '../../git/index.ts'
import type { ChunkEvent } from '../../model/index.ts'
import { walRef } from '../ref-names.ts'
import type { UnionPolicy, UnionStream } from '../stream.ts'
import { batchesOfMissing, recordIdsOf } from './batch.ts'
import { type IssueBatch, type IssueSegment, issueCodec } from './issue-codec.ts'

/** A stream of issue events: the log, or a fork of it. */
export type IssueStream = UnionStream<IssueBatch, ChunkEvent, IssueSegment>

/** Events are a set: diverged clones are joined by union. A short command reads no log, so it needs none of these modules. */
const unionOfEvents: UnionPolicy<IssueBatch, IssueSegment> = {
  kind: 'union',
  idsOf: (segment) => recordIdsOf(segment),
  bytesOf: ({ items }) => items.reduce((sum, { record }) => sum + record.length, 0),
  batchesOfMissing: (...request) => batchesOfMissing(...request),
  countOf: ({ records }) => records.length,
}

/** The stream of issue events at a ref. */
export function issueStream(ref: RefName, title: string): IssueStream {
  return {
    ...{ ref, title, divergence: unionOfEvents, keepsReflog: true },
    get codec() {
      return issueCodec
    },
  }
}

/** The issue log of a repository. */
export const issueLog: IssueStream = issueStream(walRef, 'the log')
