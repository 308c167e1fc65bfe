import { basename } from 'node:path'
import type { GitPort, Oid } from '../../git/index.ts'
import { ConflictError } from '../../model/index.ts'
import { encodeStreamId, nextOffsetOf, shownStreamId } from '../../model/streams/index.ts'
import type { JournalFile, JournalState } from './journal/index.ts'
import type { Divergence } from './record-streams.ts'
import { type SealedNote, sealedNoteName } from './sealed-note.ts'
import { type StreamHead, stateOf } from './stream-heads.ts'
import type { StreamReader } from './stream-reader.ts'

/** Records compared with the commits: a journal holds at most some thousand that are sealed, too. */
const comparedMax = 65_536

/**
 * How this clone's files and the ref's commit contradict each other: the commit is not after what this clone has sealed,
 * the journal continues a commit that is not on the chain, or holds another record at an offset of the commit, or records
 * that a takeover, a retention or a deletion left out. Null when they agree.
 */
export async function findDivergence(
  git: GitPort,
  reader: StreamReader,
  head: StreamHead,
  { files, note }: Pick<JournalState, 'files'> & { readonly note: SealedNote | null },
): Promise<Divergence | null> {
  const sealedOffset = nextOffsetOf(head.manifest)
  if (note !== null && note.commit !== head.commit && !(await git.isAncestor(note.commit, head.commit))) {
    const { streamId, generation } = head.manifest
    const file = sealedNoteName({ encodedId: encodeStreamId(streamId), generation })
    const reason = `this clone has sealed ${note.commit}, which is not before ${head.commit}`
    return {
      file,
      sealedCommit: note.commit,
      offset: Math.min(sealedOffset, files[0]?.firstOffset ?? sealedOffset),
      reason,
    }
  }
  for (const file of files) {
    const sealedCommit = file.open?.sealedCommit as Oid | undefined
    if (file.open === null || sealedCommit === undefined) continue
    const shared = { file: basename(file.path), sealedCommit }
    if (file.open.incarnation !== head.manifest.incarnation) {
      const reason = `the journal is of incarnation ${file.open.incarnation}`
      return { ...shared, offset: file.firstOffset, reason }
    }
    if (sealedCommit !== head.commit && !(await git.isAncestor(sealedCommit, head.commit))) {
      const reason = `the journal continues ${sealedCommit}, which is not before ${head.commit}`
      return { ...shared, offset: file.firstOffset, reason }
    }
    const { number: epoch } = head.manifest.epoch
    // A takeover seals everything first; one in another clone did not know of these records.
    if (file.open.epoch < epoch && file.nextOffset > Math.max(sealedOffset, file.firstOffset)) {
      const reason = `the journal holds records of epoch ${file.open.epoch} that epoch ${epoch} does not continue`
      return { ...shared, offset: Math.max(sealedOffset, file.firstOffset), reason }
    }
    // An act that ends a generation seals everything first, too.
    if (stateOf(head.manifest) !== 'live' && file.nextOffset > Math.max(sealedOffset, file.firstOffset)) {
      const reason = `the journal holds records that the end of generation ${head.manifest.generation} left out`
      return { ...shared, offset: Math.max(sealedOffset, file.firstOffset), reason }
    }
    const offset = await firstDifference(reader, head, file, Math.min(file.nextOffset, sealedOffset))
    if (offset === null) continue
    return { ...shared, offset, reason: `journal and commit hold different records at offset ${offset}` }
  }
  return null
}

/** Refuses to go on, which would hide what only this clone has. */
export function divergedFrom({ commit, manifest }: StreamHead, divergence: Divergence): ConflictError {
  const { streamId } = manifest
  return new ConflictError(`stream '${shownStreamId(streamId)}' has diverged: ${divergence.reason}`, {
    details: {
      ...{ reason: 'diverged', stream: streamId, path: divergence.file, offset: divergence.offset },
      object_ids: [divergence.sealedCommit, commit],
    },
    hints: ['Run `grite stream rescue` on it: what only this clone has becomes a branch, to be merged'],
  })
}

async function firstDifference(
  reader: StreamReader,
  { commit, manifest }: StreamHead,
  file: JournalFile,
  end: number,
): Promise<number | null> {
  const { firstOffset } = file
  const to = Math.min(end, firstOffset + comparedMax)
  if (to <= firstOffset) return null
  const own = new Map<number, Uint8Array>()
  for (const batch of file.batchesFrom(firstOffset)) {
    if (batch.firstOffset >= to) break
    for (const [index, record] of batch.records.entries()) own.set(batch.firstOffset + index, record)
  }
  // Unreadable parts cannot be compared; reading them reports them.
  for await (const records of reader.read(commit, manifest, { from: firstOffset, to }, () => {})) {
    for (const { offset, bytes } of records) {
      const record = own.get(offset)
      if (record !== undefined && Buffer.compare(record, bytes) !== 0) return offset
    }
  }
  return null
}
