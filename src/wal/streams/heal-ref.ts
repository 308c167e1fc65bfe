import type { GitPort, Oid } from '../../git/index.ts'
import { RefLockedError, RefMovedError } from '../../model/index.ts'
import { encodeStreamId, type StreamId } from '../../model/streams/index.ts'
import { type ManifestReader, UnreadableCommitError } from './commit-reader.ts'
import { type JournalPlace, readJournals } from './journal/index.ts'
import { readSealedNote } from './sealed-note.ts'
import { stateOf } from './stream-heads.ts'
import { refOfStream } from './stream-refs.ts'

export interface HealPlace {
  readonly git: GitPort
  readonly manifests: ManifestReader
  readonly journals: JournalPlace
}

/**
 * Moves the ref of a stream forward again, to what this clone had sealed, after another program deleted it or moved it
 * back. Does nothing to a ref that was moved aside.
 *
 * @returns the commit that the ref names now; null when it stays
 */
export async function healRef(place: HealPlace, streamId: StreamId): Promise<Oid | null> {
  const { git, journals } = place
  const note = readSealedNote(journals)
  const state = readJournals(journals)
  const known = state.files.flatMap(({ open }) => (open === null ? [] : [open.sealedCommit as Oid]))
  const end = state.files[0]?.firstOffset ?? 0
  state.close()
  const ref = refOfStream(streamId, journals.generation)
  const expected = await git.readRef(ref)
  let next = expected
  for (const commit of note === null ? known : [...known, note.commit]) {
    if (commit === next || !(await isOfStream(place, commit, streamId, end))) continue
    if (next === null || (await git.isAncestor(next, commit))) next = commit
  }
  if (next === null || next === expected) return null
  try {
    const update = { ref, expected, next, reflogMessage: 'grite: restore', keepsReflog: true }
    await git.publish({ objects: [], updates: [update] })
    return next
  } catch (error) {
    if (error instanceof RefMovedError || error instanceof RefLockedError) return null
    throw error
  }
}

/**
 * Whether it is a commit of the stream, still there, that reaches up to the journal. An ended generation stays away: its
 * ref may have been purged.
 */
async function isOfStream(
  { manifests, journals }: HealPlace,
  commit: Oid,
  streamId: StreamId,
  end: number,
): Promise<boolean> {
  try {
    const { manifest } = await manifests.read(commit)
    const isOwn = encodeStreamId(manifest.streamId) === encodeStreamId(streamId)
    const reaches = manifest.firstOffset + manifest.count >= end
    return isOwn && manifest.generation === journals.generation && reaches && stateOf(manifest) === 'live'
  } catch (error) {
    if (error instanceof UnreadableCommitError) return false
    throw error
  }
}

/** Generations of a stream that have files beside the refs, newest first. */
export function generationsOnDisk({ disk, folder, encodedId }: Omit<JournalPlace, 'generation'>): readonly number[] {
  const found = new Set<number>()
  for (const name of disk.list(folder)) {
    if (!name.startsWith(`${encodedId}.`)) continue
    const [, digits] = /^[0-9a-v]{32}\.(0|[1-9]\d{0,15})\..*(?:journal|sealed)$/.exec(name) ?? []
    if (digits !== undefined) found.add(Number(digits))
  }
  return [...found].sort((left, right) => right - left)
}
