/** Taking over, deleting and purging. */
import type { GitPort, Oid, RefName, RefUpdate } from '../../../git/index.ts'
import type { ActorId } from '../../../model/index.ts'
import { ConflictError, NotFoundError, RefMovedError } from '../../../model/index.ts'
import {
  cursorRefPrefix,
  encodeStreamId,
  type Incarnation,
  nextOffsetOf,
  type StreamId,
  shownStreamId,
} from '../../../model/streams/index.ts'
import { publishBatch } from '../../append.ts'
import { remotesPrefix, splitTrackingRef } from '../../ref-names.ts'
import { removeKnownChain } from '../chain-cache.ts'
import { UnreadableCommitError } from '../commit-reader.ts'
import { findDivergence } from '../find-divergence.ts'
import { readJournals, unlinkSealed } from '../journal/index.ts'
import type { StreamSummary } from '../record-streams.ts'
import { readSealedNote, removeSealedNote } from '../sealed-note.ts'
import { segmentStream } from '../stream-codec.ts'
import { type StreamHead, stateOf } from '../stream-heads.ts'
import { type FoundStreamRef, listStreamRefs } from '../stream-refs.ts'
import { barrierQueue } from '../stream-writer.ts'
import { commitOfAct } from './act-manifest.ts'
import type { ActPlace } from './act-place.ts'
import { keyOf, readLineageGraph } from './lineage-graph.ts'

export interface Deed {
  readonly actor: ActorId | null
  readonly reason: string | null
}

const racesMax = 100

/**
 * Makes this clone the one that may append, from the records on that it knows. Other clones learn it when they fetch.
 *
 * @throws {ConflictError} when this clone has records of its own that are not in the stream
 */
export async function takeOver(at: ActPlace, streamId: StreamId, { actor, reason }: Deed): Promise<StreamSummary> {
  const owner = await at.place.cloneId()
  for (let races = 0; ; races++) {
    const head = await at.heads.require(streamId)
    if (head.manifest.epoch.owner === owner) return await at.summary(head)
    await settleJournals(at, head)
    const { epoch } = head.manifest
    const act = {
      name: 'takeover',
      ts: at.place.clock.nowUnixMs(),
      actor,
      reason,
      previousEpoch: epoch.number,
    } as const
    const commit = commitOfAct({ ...head.manifest, epoch: { number: epoch.number + 1, owner } }, act)
    try {
      const stream = segmentStream(head.ref, streamId, await at.tools())
      const oid = await publishBatch({ git: at.place.git, stream }, commit, head.commit)
      await at.forget(streamId)
      return await at.summary({ ref: head.ref, commit: oid, manifest: commit.manifest })
    } catch (error) {
      if (!(error instanceof RefMovedError) || races >= racesMax) throw error
    }
  }
}

/** Removes journals of an earlier epoch of this clone, all of whose records are sealed. */
async function settleJournals(at: ActPlace, head: StreamHead): Promise<void> {
  const { git } = at.place
  const { streamId, generation } = head.manifest
  const sealedOffset = nextOffsetOf(head.manifest)
  await at.forget(streamId)
  const place = await at.journalPlace(streamId, generation)
  const state = readJournals(place)
  try {
    const divergence = await findDivergence(git, at.reader, head, { files: state.files, note: readSealedNote(place) })
    const end = state.nextOffset ?? 0
    if (divergence !== null || end > sealedOffset) {
      const from = divergence?.offset ?? sealedOffset
      const message = `this clone has records of stream '${shownStreamId(streamId)}' from offset ${from} on that the stream does not have`
      throw new ConflictError(message, {
        details: { reason: 'diverged', stream: streamId, offset: from, next_offset: end, object_ids: [head.commit] },
        hints: ['Run `grite stream rescue` first: it makes a branch of them'],
      })
    }
    for (const file of state.all) if (file.isInPlace()) place.disk.remove(file.path)
    if (state.all.length > 0) await place.disk.flushFolder(place.folder)
  } finally {
    state.close()
  }
}

/** Ends a stream. Its records stay until it is purged, and its offsets are never used again. */
export async function deleteStream(at: ActPlace, streamId: StreamId, { actor, reason }: Deed): Promise<StreamSummary> {
  const head = await at.act(streamId, async ({ manifest }) => ({
    commit: commitOfAct(manifest, { name: 'tombstone', ts: at.place.clock.nowUnixMs(), actor, reason }),
  }))
  return await at.summary(head)
}

export interface PurgeStream {
  /** Purges although other streams or cursors depend on it. A remote is not passed over: its clones would lose the stream. */
  readonly despiteDependants: boolean
  /** Changes nothing. */
  readonly preview: boolean
}

export interface Dependant {
  readonly kind: 'branch' | 'merge' | 'cursor' | 'remote'
  /** Id of the stream, name of the ref of the cursor, or of the tracking ref of a remote that does not know of the end. */
  readonly name: string
}

export interface PurgedStream {
  readonly streamId: StreamId
  readonly generations: readonly { readonly generation: number; readonly ref: RefName; readonly head: Oid }[]
  readonly dependants: readonly Dependant[]
  /** Refs that are gone now: none in a preview. */
  readonly removed: readonly RefName[]
}

/**
 * Removes the refs of the generations that have ended: all of a deleted stream, else those before retention. What other
 * streams have branched or merged stays readable through them. Cursors of a deleted stream go with it.
 *
 * @throws {ConflictError} when something depends on it, and the caller did not say that this is meant
 */
export async function purgeStream(
  at: ActPlace,
  streamId: StreamId,
  { despiteDependants, preview }: PurgeStream,
): Promise<PurgedStream> {
  const { git } = at.place
  const shown = shownStreamId(streamId)
  const newest = await at.heads.find(streamId)
  if (newest === null) throw new NotFoundError(`no stream '${shown}'`, { details: { stream: streamId } })
  const isDeleted = stateOf(newest.manifest) === 'deleted'
  const encoded = encodeStreamId(streamId)
  const refs = await listStreamRefs(git, () => {})
  const ended = refs.filter(
    (found) =>
      found.encoded === encoded &&
      (found.generation < newest.manifest.generation || (isDeleted && found.ref === newest.ref)),
  )
  if (ended.length === 0) {
    throw new ConflictError(`stream '${shown}' has nothing to purge: it is neither deleted nor was anything retained`, {
      details: { reason: 'live', stream: streamId, ref: newest.ref },
      hints: ['Run `grite stream delete` first'],
    })
  }
  const incarnations = new Set<Incarnation>()
  for (const { oid } of ended) {
    const found = await readOrNull(at, oid)
    if (found !== null) incarnations.add(found.incarnation)
  }
  const cursors = isDeleted ? await git.listRefs(`${cursorRefPrefix}${encoded}/`, () => {}) : []
  const dependants: readonly Dependant[] = [
    ...(await dependentStreams(at, refs, streamId, incarnations)),
    ...cursors.map(({ ref }) => ({ kind: 'cursor' as const, name: ref })),
    ...(await unawareRemotes(git, ended)),
  ]
  const generations = ended.map(({ ref, generation, oid }) => ({ ref, generation, head: oid }))
  const found = { streamId, generations, dependants }
  if (preview) return { ...found, removed: [] }
  const isUnsent = dependants.some(({ kind }) => kind === 'remote')
  if (isUnsent || (dependants.length > 0 && !despiteDependants)) {
    const shownNames = dependants
      .slice(0, 3)
      .map(({ kind, name }) => (kind === 'remote' ? 'a remote' : `${kind} '${shownStreamId(name)}'`))
    const more = dependants.length > shownNames.length ? ` and ${dependants.length - shownNames.length} more` : ''
    throw new ConflictError(`stream '${shown}' is needed by ${shownNames.join(', ')}${more}`, {
      details: { reason: 'dependants', stream: streamId, dependants },
      hints: [
        isUnsent
          ? 'Run `grite stream publish` first: a remote has it, and does not know what ended here'
          : 'Branches and merges keep what they need; to purge it all the same, add --despite-dependants',
      ],
    })
  }
  const updates = [...ended, ...cursors].map(
    ({ ref, oid }): RefUpdate => ({ ref, expected: oid, next: null, reflogMessage: 'grite: purge' }),
  )
  // Otherwise the lost refs would be found again by their notes.
  const leave = await barrierQueue(await at.journalPlace(streamId, newest.manifest.generation)).enter()
  try {
    for (const { generation } of ended) {
      const place = await at.journalPlace(streamId, generation)
      removeSealedNote(place)
      removeKnownChain(place, place)
    }
    await git.publish({ objects: [], updates })
    await at.forget(streamId)
    for (const { generation } of ended) await removeJournals(at, streamId, generation)
  } finally {
    await leave()
  }
  return { ...found, removed: updates.map(({ ref }) => ref) }
}

/** Remotes that had one of the generations when they were last seen, but not its end: there it would be alive for ever. */
async function unawareRemotes(git: GitPort, ended: readonly FoundStreamRef[]): Promise<readonly Dependant[]> {
  const heads = new Map(ended.map(({ ref, oid }) => [ref, oid]))
  const found: Dependant[] = []
  for (const { ref: tracking, oid } of await git.listRefs(remotesPrefix, () => {})) {
    const head = heads.get(splitTrackingRef(tracking).remoteRef)
    if (head !== undefined && head !== oid) found.push({ kind: 'remote', name: tracking })
  }
  return found
}

async function readOrNull(at: ActPlace, oid: Oid) {
  try {
    return (await at.reader.manifests.read(oid)).manifest
  } catch (error) {
    if (error instanceof UnreadableCommitError) return null
    throw error
  }
}

/** Streams that come from these incarnations, or have merged them. */
async function dependentStreams(
  at: ActPlace,
  refs: Awaited<ReturnType<typeof listStreamRefs>>,
  streamId: StreamId,
  incarnations: ReadonlySet<Incarnation>,
): Promise<readonly Dependant[]> {
  const wanted = new Set([...incarnations].map((incarnation) => keyOf({ streamId, incarnation })))
  const heads: { readonly oid: Oid; readonly key: string; readonly streamId: StreamId }[] = []
  for (const { oid } of refs) {
    const manifest = await readOrNull(at, oid)
    if (manifest !== null && manifest.streamId !== streamId) heads.push({ oid, key: keyOf(manifest), ...manifest })
  }
  const whole = await graphOf(
    at,
    heads.map(({ oid }) => oid),
  )
  const found = new Map<string, Dependant>()
  for (const { oid, key, streamId: name } of heads) {
    const node = (whole ?? (await graphOf(at, [oid])))?.get(key)
    for (const [index, { id }] of (node?.joins ?? []).entries()) {
      if (wanted.has(id)) found.set(key, { kind: node?.kind === 'branch' && index === 0 ? 'branch' : 'merge', name })
    }
  }
  return [...found.values()]
}

/** Null when one of the commits is unreadable. */
async function graphOf(at: ActPlace, commits: readonly Oid[]) {
  try {
    return await readLineageGraph(at.place.git, at.reader.manifests, commits)
  } catch (error) {
    if (error instanceof UnreadableCommitError) return null
    throw error
  }
}

async function removeJournals(at: ActPlace, streamId: StreamId, generation: number): Promise<void> {
  const place = await at.journalPlace(streamId, generation)
  await unlinkSealed(place, { nextOffset: Number.MAX_SAFE_INTEGER }, () => true, 'remove')
}
