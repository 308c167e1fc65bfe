import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { CorruptObjectError } from '../../model/index.ts'
import { encodeStreamId } from '../../model/streams/index.ts'
import { UnreadableCommitError } from './commit-reader.ts'
import { type CachedHead, type CachedJournal, readHeadsCache, writeHeadsCache } from './heads-cache.ts'
import { type JournalName, type JournalPlace, listJournals, readJournals } from './journal/index.ts'
import { formatJournalName } from './journal/journal-place.ts'
import type { ListFilter, StreamDamage, StreamPlace, StreamSummary } from './record-streams.ts'
import type { StreamReader } from './stream-reader.ts'
import { type FoundStreamRef, listStreamRefs } from './stream-refs.ts'
import { summaryOf } from './summaries.ts'

export interface Listing {
  readonly place: StreamPlace
  readonly reader: StreamReader
  readonly journalPlaceOf: (encodedId: string, generation: number) => JournalPlace
}

/** Manifests that are read at the same time. */
const readsMax = 4 * availableParallelism()
/** Fewer new rows do not rewrite the file of the cache. */
const newRowsMin = 16

/** All streams, from the cache where their refs and journals are unchanged. */
export async function listStreams(
  { place, reader, journalPlaceOf }: Listing,
  { includeEnded = false, keepsHeads = true, onDamage = place.warn }: ListFilter,
): Promise<readonly StreamSummary[]> {
  const cachePath = join(place.folder, 'heads')
  const cache = readHeadsCache(cachePath)
  const { disk } = journalPlaceOf('', 0)
  // Journals first: a record is in them, or in the commit of a ref that is read later.
  const byStream = new Map<string, JournalName[]>()
  for (const name of listJournals({ disk, folder: place.folder })) {
    const key = `${name.encodedId}.${name.generation}`
    const names = byStream.get(key)
    if (names === undefined) byStream.set(key, [name])
    else names.push(name)
  }
  let newRows = 0
  const journals: CachedJournal[] = []
  const ends = new Map<string, number>()
  for (const [key, names] of byStream) {
    const found = readEnds(names)
    if (found.length === 0) continue
    journals.push(...found)
    ends.set(key, Math.max(...found.map(({ nextOffset }) => nextOffset)))
  }

  /** @param names - all journals of one generation */
  function readEnds(names: readonly JournalName[]): readonly CachedJournal[] {
    const files = names.flatMap((name) => {
      const file = formatJournalName(name)
      const byteCount = disk.statusAt(join(place.folder, file))?.size
      // Undefined when it was sealed and removed meanwhile.
      return byteCount === undefined ? [] : [{ file, byteCount }]
    })
    const known = files.flatMap(({ file, byteCount }) => {
      const row = cache.journals.get(file)
      return row?.byteCount === byteCount ? [row] : []
    })
    const [first] = names
    if (first === undefined || known.length === files.length) return known
    newRows++
    const state = readJournals(journalPlaceOf(first.encodedId, first.generation), 'read', names)
    const nextOffset = state.nextOffset ?? 0
    state.close()
    return files.map((each) => ({ ...each, nextOffset }))
  }

  const refs = await listStreamRefs(place.git, (ref, objectId, reason) =>
    onDamage({ ...nowhere, ref, objectId, reason: `${ref} ${reason}` }),
  )
  const heads: CachedHead[] = []
  const missing: FoundStreamRef[] = []
  for (const found of refs) {
    const known = cache.heads.get(found.ref)
    if (known?.head === found.oid) heads.push(known)
    else missing.push(found)
  }
  const read = async (): Promise<void> => {
    for (let found = missing.pop(); found !== undefined; found = missing.pop()) {
      const head = await readHead(found, reader, onDamage)
      if (head === null) continue
      heads.push(head)
      newRows++
    }
  }
  await Promise.all(Array.from({ length: readsMax }, read))
  heads.sort((left, right) => (left.ref < right.ref ? -1 : 1))
  if (keepsHeads && newRows >= newRowsMin) writeHeadsCache(cachePath, heads, journals, place.permissions)
  const cloneId = await place.cloneId()
  return heads
    .filter(({ state }) => includeEnded || state === 'live')
    .map((head) => ({
      ...head,
      nextOffset: Math.max(head.sealedOffset, ends.get(refPart(head.ref)) ?? 0),
      owner: head.epoch.owner === cloneId ? 'ours' : 'foreign',
    }))
}

const nowhere = { streamId: null, file: null, bytePosition: null, offsets: null } as const

/** `<enc>.<generation>` */
function refPart(ref: string): string {
  return ref.slice(ref.lastIndexOf('/') + 1)
}

async function readHead(
  { ref, oid, encoded, generation }: FoundStreamRef,
  reader: StreamReader,
  onDamage: (damage: StreamDamage) => void,
): Promise<CachedHead | null> {
  const report = (objectId: typeof oid, reason: string): null => {
    onDamage({ ...nowhere, ref, objectId, reason: `${ref}: ${reason}` })
    return null
  }
  try {
    const { manifest } = await reader.manifests.read(oid)
    if (manifest.generation !== generation || encodeStreamId(manifest.streamId) !== encoded)
      return report(oid, `commit ${oid} is of another stream`)
    const firstOffset = await reader.oldestOffsetOf(oid)
    const head = { ref, commit: oid, manifest }
    const {
      owner: _,
      nextOffset: __,
      ...facts
    } = summaryOf(head, {
      ...{ cloneId: manifest.epoch.owner, journalEnd: undefined, firstOffset },
    })
    return facts
  } catch (error) {
    if (error instanceof UnreadableCommitError) return report(error.objectId, error.message)
    if (error instanceof CorruptObjectError) return report(oid, error.message)
    throw error
  }
}
