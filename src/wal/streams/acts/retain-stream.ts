/**
 * Retention: a new generation that carries the root of what it drops, and begins with the oldest segment that stays.
 * The commits that stay are made again with the blobs that they have, so their entries, offsets and roots are the same.
 */
import type { Oid, PendingObject, RefName } from '../../../git/index.ts'
import type { ActorId } from '../../../model/index.ts'
import { ConflictError, InvalidArgsError } from '../../../model/index.ts'
import {
  type Manifest,
  nextOffsetOf,
  type RetentionPolicy,
  rootOfManifest,
  type StreamId,
  shownStreamId,
  streamLimits,
} from '../../../model/streams/index.ts'
import { encodeBatch } from '../../append.ts'
import { updateOf } from '../../stream.ts'
import { type ReadManifest, readCommitFacts } from '../commit-reader.ts'
import type { StreamSummary } from '../record-streams.ts'
import { sealRecords } from '../seal-records.ts'
import { writeSealedNote } from '../sealed-note.ts'
import { indexFile, type StreamCommit, segmentFiles, segmentStream } from '../stream-codec.ts'
import type { StreamHead } from '../stream-heads.ts'
import { refOfStream } from '../stream-refs.ts'
import type { ActCommit } from '../stream-writer.ts'
import { commitOfAct } from './act-manifest.ts'
import { type ActPlace, requireReadable } from './act-place.ts'
import { walkChain } from './chain.ts'

export interface RetainStream {
  /** Null for the policy that was given when the stream was created. */
  readonly policy: RetentionPolicy | null
  /** Joins neighbouring small segments of what stays. */
  readonly compact: boolean
  readonly actor: ActorId | null
  readonly reason: string | null
  /** Changes nothing. */
  readonly preview: boolean
}

export interface RetainedStream {
  readonly stream: StreamSummary
  readonly policy: RetentionPolicy | null
  /** Records that can no longer be read in this stream; 0 when the policy lets all of them stay. */
  readonly dropped: number
  readonly firstOffset: number
  /** Commits of the generation, before and after. */
  readonly commits: { readonly before: number; readonly after: number }
  /**
   * Why small segments were not joined, although that was asked for: a new generation of a branch or a merged stream would
   * lose what it inherits or began with. Null otherwise.
   */
  readonly notCompacted: 'branch' | 'merge' | null
  /** The new generation; null when nothing was to be done, or in a preview. */
  readonly generation: number | null
}

/** A commit of the generation, oldest first. */
interface Link {
  readonly commit: Oid
  readonly manifest: Manifest
  readonly found: ReadManifest
  readonly storedBytes: number
  readonly unixSeconds: number
}

export async function retainStream(at: ActPlace, streamId: StreamId, request: RetainStream): Promise<RetainedStream> {
  const policyOf = ({ manifest }: StreamHead) => request.policy ?? manifest.lineage.metadata.retention
  const now = at.place.clock.nowUnixMs()
  const planOn = async (head: StreamHead) => {
    const policy = policyOf(head)
    if (policy === null && !request.compact) throw noPolicy(streamId)
    if (policy !== null) checkPolicy(policy)
    const links = await readLinks(at, head)
    const cut = policy === null ? 0 : findCut(links, policy, now)
    const compact = request.compact && (cut > 0 || canBeginAgain(links))
    const groups = groupLinks(links.slice(cut), compact)
    const { kind } = head.manifest.lineage
    const notCompacted = request.compact && !compact && kind !== 'root' ? kind : null
    return { policy, links, cut, groups, notCompacted }
  }
  type Planned = Awaited<ReturnType<typeof planOn>>
  const answer = async (head: StreamHead, planned: Planned, generation: number | null): Promise<RetainedStream> => {
    const { policy, links, cut, groups, notCompacted } = planned
    const dropped = links.slice(0, cut).reduce((count, { manifest }) => count + manifest.count, 0)
    const stream = await at.summary(head)
    const firstOffset = generation === null ? stream.firstOffset : cutOffsetOf(links, cut)
    const carries = cut > 0 ? 1 : 0
    const commits = { before: links.length, after: groups.length + carries }
    return { stream, policy, dropped, firstOffset, commits, notCompacted, generation }
  }
  return await requireReadable(streamId, async () => {
    const { head: before } = request.preview
      ? { head: await at.heads.require(streamId) }
      : await at.sealedPosition(streamId, undefined)
    const planned = await planOn(before)
    const isNeedless = ({ cut, groups, links }: Planned) => cut === 0 && groups.length === links.length
    if (request.preview || isNeedless(planned)) return await answer(before, planned, null)
    let last: Planned = planned
    let generation: number | null = null
    await at.act(streamId, async (head) => {
      last = await planOn(head)
      // Another process may have done it meanwhile.
      generation = isNeedless(last) ? null : head.manifest.generation + 1
      return generation === null ? null : await carry(at, head, last, request, now)
    })
    const head = await at.heads.require(streamId)
    if (generation !== null) {
      // Otherwise nothing here would know the new generation when another program deletes its ref.
      const { incarnation } = head.manifest
      writeSealedNote(await at.journalPlace(streamId, head.manifest.generation), { commit: head.commit, incarnation })
    }
    return await answer(head, last, generation)
  })
}

/** Drops what the policy of the stream lets go, if anything. Seals nothing otherwise. */
export async function applyPolicy(at: ActPlace, streamId: StreamId): Promise<void> {
  const head = await at.heads.require(streamId)
  const policy = head.manifest.lineage.metadata.retention
  if (policy === null || head.manifest.epoch.owner !== (await at.place.cloneId())) return
  if (findCut(await readLinks(at, head), policy, at.place.clock.nowUnixMs()) === 0) return
  const facts = { policy: null, compact: false, preview: false, actor: null, reason: 'retention policy of the stream' }
  await retainStream(at, streamId, facts)
}

/** The commits of a generation, oldest first. */
async function readLinks({ place, reader }: ActPlace, head: StreamHead): Promise<readonly Link[]> {
  const links: Link[] = []
  for await (const { commit } of walkChain(place.git, reader.manifests, head.commit)) {
    const found = await reader.manifests.read(commit)
    const { manifest } = found
    const storedBytes = manifest.content?.kind === 'segment' ? manifest.content.row.storedSize : 0
    links.push({ commit, manifest, found, storedBytes, unixSeconds: await dateOf(place.git, commit) })
  }
  return links.reverse()
}

async function dateOf(git: ActPlace['place']['git'], commit: Oid): Promise<number> {
  return (await readCommitFacts(git, commit)).committedAtUnixSeconds
}

/** How many of the oldest commits go. The newest with content stays. */
function findCut(links: readonly Link[], policy: RetentionPolicy, now: number): number {
  const { maxAgeMs, maxBytes, maxCount } = policy
  let bytes = links.reduce((sum, { storedBytes }) => sum + storedBytes, 0)
  let records = links.reduce((sum, { manifest }) => sum + manifest.count, 0)
  const newest = links.findLastIndex(({ manifest }) => manifest.content !== null)
  let cut = 0
  for (const [index, { manifest, storedBytes, unixSeconds }] of links.entries()) {
    if (index >= newest) break
    // What begins the generation goes only together with records.
    if (manifest.content === null) continue
    const isOld = maxAgeMs !== null && unixSeconds * 1000 + 999 < now - maxAgeMs
    const isLarge = maxBytes !== null && bytes > maxBytes
    const isMany = maxCount !== null && records - manifest.count >= maxCount
    if (!isOld && !isLarge && !isMany) break
    bytes -= storedBytes
    records -= manifest.count
    cut = index + 1
  }
  return cut
}

/** A branch would lose what it inherits, and a merged stream its first rows: only their records can be retained. */
function canBeginAgain([first]: readonly Link[]): boolean {
  return first?.manifest.lineage.kind === 'root' || first?.manifest.act?.name === 'carry'
}

/** Neighbouring plain seals that fit into one segment; any other commit is alone. */
function groupLinks(links: readonly Link[], compact: boolean): readonly (readonly Link[])[] {
  const groups: Link[][] = []
  let bytes = 0
  let records = 0
  for (const link of links) {
    const { content, act, count } = link.manifest
    const size = content?.kind === 'segment' && act === null ? content.row.rawSize : Number.POSITIVE_INFINITY
    const fits = bytes + size <= streamLimits.segmentBytesMax && records + count <= streamLimits.segmentRecordsMax
    const last = groups.at(-1)
    if (compact && last !== undefined && fits) {
      last.push(link)
      bytes += size
      records += count
      continue
    }
    groups.push([link])
    bytes = size
    records = count
  }
  return groups
}

function cutOffsetOf(links: readonly Link[], cut: number): number {
  const before = links[cut - 1]?.manifest
  return before === undefined ? (links[0]?.manifest.firstOffset ?? 0) : nextOffsetOf(before)
}

/** Stages the commits of the next generation, and gives the last commit of this one. */
async function carry(
  at: ActPlace,
  head: StreamHead,
  { links, cut, groups }: { links: readonly Link[]; cut: number; groups: readonly (readonly Link[])[] },
  { actor, reason }: RetainStream,
  ts: number,
): Promise<ActCommit> {
  const { git } = at.place
  const { streamId, generation } = head.manifest
  const tools = await at.tools()
  const ref = refOfStream(streamId, generation + 1)
  const stream = segmentStream(ref, streamId, tools)
  // Compacting alone drops nothing: then what is carried is where the generation began.
  const [first] = links
  const cutAt = cut > 0 ? (links[cut - 1] as Link).manifest : beginOf((first as Link).manifest)
  const staged: PendingObject[] = []
  const write = (commit: StreamCommit, parents: readonly Oid[]): Oid => {
    const made = encodeBatch(git.layout.objectFormat, stream, commit, parents)
    staged.push(...made.objects)
    return made.commit
  }
  let manifest: Manifest = {
    ...cutAt,
    ...{ generation: generation + 1, commitCount: 1 },
    ...{ firstOffset: nextOffsetOf(cutAt), count: 0, content: null },
    act: {
      ...({ name: 'carry', ts, actor, reason, previousGeneration: generation } as const),
      ...{ previousRoot: rootOfManifest(cutAt), cutEntry: cutAt.entries },
    },
  }
  let commit = write({ manifest, segment: null, tsUnixMs: ts }, [])
  for (const group of groups) {
    const made = await remake(at, manifest, group)
    if (made === null) continue
    manifest = made.manifest
    // Of a merge, the sources.
    commit = write(made, [commit, ...(group[0] as Link).found.parents.slice(1)])
  }
  // Blobs of kept segments are there already; what is new is small, but may be many objects.
  await git.publish({ objects: staged, updates: [] })
  const found = await git.readRef(ref)
  if (found !== null) await requireOwnRest(at, head, links, { ref, commit: found })
  const update = updateOf(stream, { expected: found, next: commit, reflogMessage: 'grite: retention' })
  return {
    commit: commitOfAct(head.manifest, { name: 'continued', ts, actor, reason, nextGeneration: generation + 1 }),
    beside: { staged, updates: [update] },
  }
}

/**
 * The ref of the next generation may be there from a retention that was killed. That one has records of this generation alone.
 * @throws {ConflictError} for the work of others, which a fetch brought: a copy of this clone has ended the generation otherwise
 */
async function requireOwnRest(
  { reader }: ActPlace,
  { manifest: { streamId, generation } }: StreamHead,
  links: readonly Link[],
  { ref, commit }: { readonly ref: RefName; readonly commit: Oid },
): Promise<void> {
  const root = rootOfManifest((await reader.manifests.read(commit)).manifest)
  if (links.some(({ manifest }) => Buffer.compare(rootOfManifest(manifest), root) === 0)) return
  throw new ConflictError(
    `stream '${shownStreamId(streamId)}' has a generation ${generation + 1} that does not go on from this clone's records`,
    {
      details: { reason: 'generation-exists', stream: streamId, ref },
      hints: ['Run `grite stream rescue` first: it makes a branch of the records that only this clone has'],
    },
  )
}

/** What a generation began with: nothing, or what it carried itself. */
function beginOf(manifest: Manifest): Manifest {
  if (manifest.act?.name === 'carry') return manifest
  return { ...manifest, count: 0, content: null, entries: 0, peaks: [], producers: [] }
}

/** One commit of the next generation. Null for one that only begins or ends a generation. */
async function remake(at: ActPlace, previous: Manifest, group: readonly Link[]): Promise<StreamCommit | null> {
  const [first] = group
  if (first === undefined) return null
  const { manifest, found, unixSeconds } = first
  const { generation } = previous
  const commitCount = previous.commitCount + 1
  if (group.length > 1) {
    const records: Uint8Array[] = []
    for (const link of group) records.push(...(await at.reader.manifests.readSegment(link.found)).all())
    return await sealRecords(await at.tools(), previous, records)
  }
  const begins = manifest.act?.name === 'genesis' || manifest.act?.name === 'carry'
  if (begins && manifest.content === null) return null
  const act = manifest.act?.name === 'genesis' ? null : manifest.act
  const next: Manifest = { ...manifest, generation, commitCount, act }
  if (manifest.content?.kind !== 'segment') return { manifest: next, segment: null, tsUnixMs: unixSeconds * 1000 }
  const stored = found.files.get(segmentFiles[manifest.content.row.codec]) as Oid
  const index = found.files.get(indexFile) as Oid
  return { manifest: next, segment: { stored, index }, tsUnixMs: unixSeconds * 1000 }
}

function checkPolicy({ maxAgeMs, maxBytes, maxCount }: RetentionPolicy): void {
  const limits = { max_age: maxAgeMs, max_bytes: maxBytes, max_count: maxCount }
  for (const [field, value] of Object.entries(limits)) {
    if (value === null || (Number.isSafeInteger(value) && value >= 0)) continue
    throw new InvalidArgsError(`${field} is ${value}, not a whole number from 0`, { details: { field, value } })
  }
}

function noPolicy(streamId: StreamId): ConflictError {
  return new ConflictError(`stream '${shownStreamId(streamId)}' was created without a retention policy`, {
    details: { reason: 'no-policy', stream: streamId },
    hints: ['Name a limit: --max-age, --max-bytes or --max-count'],
  })
}
