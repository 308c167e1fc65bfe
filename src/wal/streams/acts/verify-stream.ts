/**
 * Checks all that a stream holds: every commit of every generation, and the journals. It names each thing that is wrong,
 * and goes on behind it with what the next manifest states.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Oid, RefName } from '../../../git/index.ts'
import { CorruptObjectError, formatHex } from '../../../model/index.ts'
import {
  appendSubtrees,
  type CarryAct,
  decodeRecord,
  encodeStreamId,
  LeafList,
  type Manifest,
  nextOffsetOf,
  ownEntriesOf,
  PeakList,
  recordEnd,
  recordTime,
  rootOfManifest,
  type StreamContent,
  StreamFormatError,
  type StreamId,
  sameBytes,
  subtreesOf,
} from '../../../model/streams/index.ts'
import { hintsOf, type ReadManifest, readCommitFacts, UnreadableCommitError } from '../commit-reader.ts'
import { findDivergence } from '../find-divergence.ts'
import { readJournals } from '../journal/index.ts'
import type { StreamDamage } from '../record-streams.ts'
import { isRescueBranch } from '../rescue-stream.ts'
import { ProducerWindow } from '../seal-records.ts'
import { readSealedNote } from '../sealed-note.ts'
import { beginsStream } from '../stream-codec.ts'
import { type StreamHead, stateOf } from '../stream-heads.ts'
import { listStreamRefs, refOfStream } from '../stream-refs.ts'
import { damageOfJournal } from '../stream-status.ts'
import { leafOfAdopted } from './act-manifest.ts'
import type { ActPlace } from './act-place.ts'
import { parentRootsOf, walkChain } from './chain.ts'
import { type MergeFacts, planMergeOf } from './merge-rows.ts'

/** One generation, checked. */
export interface VerifiedStream {
  readonly streamId: StreamId
  readonly ref: RefName
  readonly generation: number
  readonly head: Oid | null
  /** Root of the head, 64 hex; null when it is unreadable. */
  readonly root: string | null
  readonly commits: number
  /** Sealed records of its own. */
  readonly records: number
  /** Records in the journal. */
  readonly unsealedRecords: number
  readonly problems: readonly StreamProblemFound[]
}

export interface StreamProblemFound extends StreamDamage {
  /** The commit with the fault; null for a journal or a ref. */
  readonly commit: Oid | null
}

/** Receives the number of entries that were checked since the last call. */
export type OnChecked = (entries: number) => void

/** All generations of a stream, oldest first. */
export async function verifyStream(
  at: ActPlace,
  streamId: StreamId,
  onChecked: OnChecked = () => {},
): Promise<readonly VerifiedStream[]> {
  const encoded = encodeStreamId(streamId)
  const refs = (await listStreamRefs(at.place.git, () => {})).filter((found) => found.encoded === encoded)
  const checked: VerifiedStream[] = []
  for (const { ref, generation, oid } of refs.toSorted((left, right) => left.generation - right.generation))
    checked.push(await new Verification(at, { streamId, ref, generation }, onChecked).run(oid))
  return checked
}

/** A head that is not yet this clone's, with the commits that lead to it. Ignores journals. */
export async function verifyHead(
  at: ActPlace,
  { ref, commit, manifest }: StreamHead,
  onChecked: OnChecked = () => {},
): Promise<readonly StreamProblemFound[]> {
  const { streamId, generation } = manifest
  return await new Verification(at, { streamId, ref, generation }, onChecked).runSealed(commit)
}

interface Subject {
  readonly streamId: StreamId
  readonly ref: RefName
  readonly generation: number
}

class Verification {
  readonly #at: ActPlace
  readonly #streamId: StreamId
  readonly #ref: RefName
  readonly #generation: number
  readonly #onChecked: OnChecked
  readonly #problems: StreamProblemFound[] = []
  #records = 0

  constructor(at: ActPlace, { streamId, ref, generation }: Subject, onChecked: OnChecked) {
    this.#at = at
    this.#onChecked = onChecked
    this.#streamId = streamId
    this.#ref = ref
    this.#generation = generation
  }

  async run(head: Oid): Promise<VerifiedStream> {
    const { commits, newest } = await this.#checkCommits(head)
    const root = newest === null ? null : formatHex(rootOfManifest(newest.manifest))
    const unsealedRecords = await this.#checkJournals(newest)
    return {
      ...{ streamId: this.#streamId, ref: this.#ref, generation: this.#generation, head, root },
      ...{ commits, records: this.#records, unsealedRecords, problems: this.#problems },
    }
  }

  async runSealed(head: Oid): Promise<readonly StreamProblemFound[]> {
    await this.#checkCommits(head)
    return this.#problems
  }

  /** `newest` is the head; null when it is unreadable. */
  async #checkCommits(head: Oid): Promise<{ readonly commits: number; readonly newest: ReadManifest | null }> {
    const chain = await this.#readChain(head)
    let previous: ReadManifest | null = null
    let isAfterGap = false
    let peaks: PeakList | null = null
    let window: ProducerWindow | null = null
    let newest = 0
    for (const commit of chain) {
      const found = await this.#readManifest(commit)
      if (found === null) {
        isAfterGap = true
        peaks = null
        window = null
        previous = null
        continue
      }
      const { manifest } = found
      this.#checkFacts(found, previous, isAfterGap)
      isAfterGap = false
      const before = manifest.entries - ownEntriesOf(manifest)
      if (peaks === null || peaks.entries !== before) peaks = this.#startPeaks(manifest, peaks)
      window ??=
        manifest.commitCount === 1 ? new ProducerWindow(manifest.act?.name === 'carry' ? manifest.producers : []) : null
      const content = await this.#readContent(found, before)
      if (peaks !== null && content.subtrees !== null)
        appendSubtrees(peaks, before, ownEntriesOf(manifest), content.subtrees)
      else if (content.subtrees === null) peaks = null
      peaks = this.#comparePeaks(found, peaks)
      newest = this.#checkTimes(found, content.times, newest)
      for (const producer of content.producers) window?.note(producer)
      window = this.#compareProducers(found, window, content.subtrees === null)
      await this.#checkAct(found, previous)
      this.#onChecked(ownEntriesOf(manifest))
      previous = found
    }
    return { commits: chain.length, newest: previous?.commit === head ? previous : null }
  }

  /** Commits of the generation, oldest first, as far as they are readable. */
  async #readChain(head: Oid): Promise<readonly Oid[]> {
    const chain: Oid[] = []
    const { git } = this.#at.place
    try {
      for (let commit: Oid | undefined = head; commit !== undefined; ) {
        const facts = await readCommitFacts(git, commit)
        chain.push(commit)
        const hints = hintsOf(facts)
        const found =
          hints !== null && hints.act === null && facts.parents.length === 1 ? null : await this.#tryRead(commit)
        const parent: Oid | undefined = facts.parents[0]
        if (found !== null && found.manifest.commitCount === 1) break
        if (found === null && hints !== null && (await this.#isOther(parent))) break
        if (parent === undefined) this.#report(commit, commit, 'has no parent, but is not the first of its stream')
        commit = parent
      }
    } catch (error) {
      if (!(error instanceof UnreadableCommitError)) throw error
      this.#report(chain.at(-1) ?? null, error.objectId, `${error.message}, so nothing before it can be read`)
    }
    return chain.reverse()
  }

  /** Whether a commit is of another stream or generation, so that the one after it begins this one. */
  async #isOther(parent: Oid | undefined): Promise<boolean> {
    if (parent === undefined) return true
    const hints = hintsOf(await readCommitFacts(this.#at.place.git, parent))
    return hints !== null && (hints.streamId !== this.#streamId || hints.generation !== this.#generation)
  }

  async #tryRead(commit: Oid): Promise<ReadManifest | null> {
    try {
      return await this.#at.reader.manifests.read(commit)
    } catch (error) {
      if (error instanceof UnreadableCommitError) return null
      throw error
    }
  }

  async #readManifest(commit: Oid): Promise<ReadManifest | null> {
    try {
      return await this.#at.reader.manifests.read(commit)
    } catch (error) {
      if (!(error instanceof UnreadableCommitError)) throw error
      this.#report(commit, error.objectId, error.message)
      return null
    }
  }

  #checkFacts({ commit, manifest }: ReadManifest, previous: ReadManifest | null, isAfterGap: boolean): void {
    const fail = (reason: string) => this.#report(commit, commit, reason, offsetsOf(manifest))
    if (manifest.streamId !== this.#streamId) fail('is a commit of another stream')
    if (manifest.generation !== this.#generation) fail(`is of generation ${manifest.generation}`)
    if (manifest.act?.name === 'unknown' && manifest.content === null)
      fail(`has an act of a later version, '${manifest.act.text}'`)
    if (previous === null) {
      if (!isAfterGap && manifest.commitCount !== 1) fail(`is commit ${manifest.commitCount}, but the first`)
      if (manifest.commitCount === 1 && manifest.act === null) fail('begins a stream without an act')
      return
    }
    const before = previous.manifest
    if (manifest.incarnation !== before.incarnation) fail('is of another incarnation than the commit before it')
    if (manifest.commitCount !== before.commitCount + 1)
      fail(`is commit ${manifest.commitCount} after commit ${before.commitCount}`)
    if (manifest.firstOffset !== nextOffsetOf(before))
      fail(`begins at offset ${manifest.firstOffset}, but the commit before it ends at ${nextOffsetOf(before)}`)
    if (manifest.entries - ownEntriesOf(manifest) !== before.entries)
      fail(`begins at entry ${manifest.entries - ownEntriesOf(manifest)} after ${before.entries} entries`)
    if (!isSameLineage(manifest, before)) fail('has another lineage than the commit before it')
    const isTakeover = manifest.act?.name === 'takeover'
    const expected = before.epoch.number + (isTakeover ? 1 : 0)
    if (manifest.epoch.number !== expected) fail(`is of epoch ${manifest.epoch.number}, not ${expected}`)
    if (!isTakeover && manifest.epoch.owner !== before.epoch.owner) fail('has another owner without a takeover')
  }

  #startPeaks(manifest: Manifest, peaks: PeakList | null): PeakList | null {
    if (manifest.commitCount === 1 && manifest.act?.name === 'carry')
      return PeakList.of(manifest.entries, manifest.peaks)
    if (peaks !== null || manifest.commitCount !== 1) return null
    return PeakList.empty()
  }

  #comparePeaks({ commit, manifest }: ReadManifest, peaks: PeakList | null): PeakList {
    const stated = PeakList.of(manifest.entries, manifest.peaks)
    if (peaks === null) return stated
    const isSame =
      peaks.entries === stated.entries &&
      peaks.peaks.every((peak, i) => sameBytes(peak, manifest.peaks[i] as Uint8Array))
    if (!isSame) this.#report(commit, commit, 'has a root that is not that of its entries', offsetsOf(manifest))
    return stated
  }

  /** What a commit adds; subtrees are null when that is unreadable. */
  async #readContent(found: ReadManifest, firstEntry: number) {
    const { commit, manifest } = found
    const nothing = { subtrees: [] as readonly Uint8Array[] | null, times: [] as number[], producers: [] as Producer[] }
    await this.#checkMessage(found)
    if (manifest.content === null) return nothing
    try {
      return manifest.content.kind === 'segment' || manifest.act?.name === 'unknown'
        ? await this.#readSegment(found, firstEntry)
        : { ...nothing, subtrees: await this.#readRows(found, manifest.content, firstEntry) }
    } catch (error) {
      if (!(error instanceof UnreadableCommitError) && !(error instanceof CorruptObjectError)) throw error
      const objectId = error instanceof UnreadableCommitError ? error.objectId : commit
      this.#report(commit, objectId, error.message, offsetsOf(manifest))
      return { ...nothing, subtrees: null }
    }
  }

  async #readSegment(found: ReadManifest, firstEntry: number) {
    const { commit, manifest } = found
    const records = (await this.#at.reader.manifests.readSegment(found)).all()
    const stated = manifest.content?.kind === 'segment' ? manifest.content.row.subtrees : []
    const times: number[] = []
    const producers: Producer[] = []
    for (const [index, record] of records.entries()) {
      const offset = manifest.firstOffset + index
      try {
        if (recordEnd(record, 0) !== record.length) throw new StreamFormatError('it has bytes behind its end')
        times.push(recordTime(record, 0))
      } catch (error) {
        if (!(error instanceof StreamFormatError)) throw error
        const reason = `record ${offset} is not in the format: ${error.message}`
        this.#report(commit, commit, reason, { from: offset, to: offset + 1 })
        continue
      }
      const { producer } = decodeRecord(record)
      if (producer !== null) producers.push({ ...producer, offset })
    }
    this.#records += records.length
    const leaves = new LeafList(records.length)
    for (const record of records) leaves.addRecord(record)
    const subtrees = leaves.subtrees(firstEntry)
    const isSame = subtrees.every((root, index) => sameBytes(root, stated[index] as Uint8Array))
    if (!isSame) this.#report(commit, commit, 'has subtrees that are not those of its records', offsetsOf(manifest))
    return { subtrees: subtrees as readonly Uint8Array[] | null, times, producers }
  }

  async #readRows(
    found: ReadManifest,
    { rows }: Extract<StreamContent, { kind: 'rows' }>,
    firstEntry: number,
  ): Promise<readonly Uint8Array[]> {
    const roots = await parentRootsOf(this.#at.reader.manifests, found)
    this.#records += found.manifest.count
    try {
      const leaves = rows.map((row) => leafOfAdopted(row, roots))
      return subtreesOf(firstEntry, leaves)
    } catch (error) {
      if (error instanceof RangeError) throw new UnreadableCommitError(found.commit, error.message)
      throw error
    }
  }

  async #checkMessage({ commit, manifest }: ReadManifest): Promise<void> {
    const hints = hintsOf(await readCommitFacts(this.#at.place.git, commit))
    const isSame =
      hints !== null &&
      hints.streamId === manifest.streamId &&
      hints.generation === manifest.generation &&
      hints.firstOffset === manifest.firstOffset &&
      hints.count === manifest.count &&
      hints.root === formatHex(rootOfManifest(manifest))
    if (!isSame) this.#report(commit, commit, 'has a message that states other facts than its manifest')
  }

  #checkTimes({ commit, manifest }: ReadManifest, times: readonly number[], newest: number): number {
    let last = newest
    for (const [index, time] of times.entries()) {
      // A rescue keeps records as they are, also what was merged, as records of the branch.
      if (time < last && !isRescueBranch(manifest)) {
        const offset = manifest.firstOffset + index
        this.#report(commit, commit, `record ${offset} is older than the one before it`, {
          from: offset,
          to: offset + 1,
        })
      }
      last = Math.max(last, time)
    }
    return last
  }

  #compareProducers(
    { commit, manifest }: ReadManifest,
    window: ProducerWindow | null,
    isUnreadable: boolean,
  ): ProducerWindow | null {
    const stated = manifest.producers
    if (window !== null && !isUnreadable) {
      const expected = window.list()
      const isSame =
        expected.length === stated.length &&
        expected.every(({ id, sequence, offset }, index) => {
          const other = stated[index]
          return other?.id === id && other.sequence === sequence && other.offset === offset
        })
      if (!isSame) this.#report(commit, commit, 'names other producers than its records')
    }
    return new ProducerWindow(stated)
  }

  async #checkAct(found: ReadManifest, previous: ReadManifest | null): Promise<void> {
    const { commit, manifest, parents } = found
    try {
      if (manifest.act?.name === 'merge') await this.#checkMerge(found, previous)
      if (manifest.act?.name === 'carry') await this.#checkCarry(found, manifest.act)
      const [fork, parent] = [manifest.lineage.parents[0], parents[0]]
      if (!beginsStream(manifest) || manifest.lineage.kind !== 'branch' || fork === undefined) return
      if (parent === undefined) return this.#report(commit, commit, 'is a branch without a parent')
      const { manifest: containing } = await this.#at.reader.manifests.read(parent)
      if (formatHex(rootOfManifest(containing)) !== fork.root)
        this.#report(commit, parent, `commit ${parent} is not the parent that the branch names`)
      else if (nextOffsetOf(containing) < fork.offset)
        this.#report(commit, parent, `commit ${parent} does not reach the fork at offset ${fork.offset}`)
      if (nextOffsetOf(manifest) < fork.offset || manifest.firstOffset !== fork.offset)
        this.#report(commit, commit, `begins at offset ${manifest.firstOffset}, not at its fork, ${fork.offset}`)
    } catch (error) {
      if (!(error instanceof UnreadableCommitError)) throw error
      this.#report(commit, error.objectId, error.message, offsetsOf(manifest))
    }
  }

  /** Whether the generation before has the cut that this one carries on from; it may have been purged. */
  async #checkCarry({ commit, manifest }: ReadManifest, act: CarryAct): Promise<void> {
    const { place, reader, heads } = this.#at
    const fail = (reason: string) => this.#report(commit, commit, reason)
    const isOwn = manifest.entries === act.cutEntry && sameBytes(rootOfManifest(manifest), act.previousRoot)
    if (!isOwn) fail('carries another root than it states')
    const before = await heads.read(this.#streamId, act.previousGeneration)
    if (before === null || before.manifest.incarnation !== manifest.incarnation) return
    const root = formatHex(act.previousRoot)
    for await (const { commit: oid, hints } of walkChain(place.git, reader.manifests, before.commit)) {
      if (hints !== null && hints.root !== root) continue
      const found = (await reader.manifests.read(oid)).manifest
      if (found.entries === act.cutEntry && nextOffsetOf(found) === manifest.firstOffset) return
    }
    const generation = `generation ${act.previousGeneration}`
    // A fetch has brought what goes on from the end that a copy of this clone has made.
    if (stateOf(before.manifest) === 'live')
      fail(
        `carries on from another end of ${generation} than this clone has: run \`grite stream rescue\` on the stream`,
      )
    else fail(`carries on from a cut that ${generation} does not have`)
  }

  /** Computes bases and rows again. */
  async #checkMerge({ commit, manifest, parents }: ReadManifest, previous: ReadManifest | null): Promise<void> {
    const { act, content } = manifest
    if (act?.name !== 'merge') return
    const fail = (reason: string) => this.#report(commit, commit, reason, offsetsOf(manifest))
    const isNew = manifest.commitCount === 1
    const sources = isNew ? parents : parents.slice(1)
    if (sources.length !== act.offsets.length || sources.length === 0)
      return fail(`merges ${act.offsets.length} sources, but has ${sources.length}`)
    if (!isNew && previous === null) return
    const rows = content?.kind === 'rows' ? content.rows : []
    // What an earlier generation has merged is not in the commits of a later one, here or in a source.
    if (manifest.generation > 0 && !isNew) return
    for (const source of sources) if ((await this.#at.reader.manifests.read(source)).manifest.generation > 0) return
    const facts: MergeFacts = {
      ...{ policy: act.policy, rows, earlier: [], withMarks: true },
      target: isNew || previous === null ? null : { commit: previous.commit, offset: nextOffsetOf(previous.manifest) },
      sources: sources.map((source, index) => ({ commit: source, offset: act.offsets[index] as number })),
    }
    const planOf = (given: MergeFacts) => planMergeOf(this.#at.place.git, this.#at.reader, given)
    let { plan, bases } = await planOf(facts)
    if (plan.outcome === 'rows' && !isDeepStrictEqual(plan.rows, rows))
      ({ plan, bases } = await planOf({ ...facts, isByFirstRule: true }))
    if (plan.outcome === 'refused') fail(`is a fast-forward that is not possible: ${plan.reason}`)
    else if (!isDeepStrictEqual(plan.rows, rows)) fail(`adds other records than ${act.policy} says`)
    const named = act.bases.map(({ streamId, incarnation, offset }) => ({ streamId, incarnation, offset }))
    const found = bases.map(({ streamId, incarnation, offset }) => ({ streamId, incarnation, offset }))
    if (!isDeepStrictEqual(named, found)) fail('names other bases than its lineage has')
  }

  async #checkJournals(found: ReadManifest | null): Promise<number> {
    const { place, reader, journalPlace } = this.#at
    const journals = await journalPlace(this.#streamId, this.#generation)
    const note = readSealedNote(journals)
    const state = readJournals(journals)
    try {
      const subject = { streamId: this.#streamId, ref: this.#ref }
      const sealedOffset = found === null ? 0 : nextOffsetOf(found.manifest)
      for (const damage of state.damageAbove(sealedOffset))
        this.#problems.push({ ...damageOfJournal(subject, damage), commit: null })
      if (found === null) return 0
      const head: StreamHead = { ref: refOfStream(this.#streamId, this.#generation), ...found }
      const divergence = await findDivergence(place.git, reader, head, { files: state.files, note })
      if (divergence !== null) {
        const { file, sealedCommit: objectId, offset, reason } = divergence
        const offsets = { from: offset, to: state.nextOffset ?? offset }
        this.#problems.push({ ...subject, commit: null, objectId, file, bytePosition: null, offsets, reason })
        return 0
      }
      return Math.max(0, (state.nextOffset ?? 0) - nextOffsetOf(found.manifest))
    } finally {
      state.close()
    }
  }

  #report(commit: Oid | null, objectId: Oid, fault: string, offsets: StreamDamage['offsets'] = null): void {
    const reason =
      fault.startsWith('object') || commit === null || objectId !== commit ? fault : `commit ${commit} ${fault}`
    const nowhere = { file: null, bytePosition: null }
    this.#problems.push({ streamId: this.#streamId, ref: this.#ref, commit, objectId, ...nowhere, offsets, reason })
  }
}

interface Producer {
  readonly id: string
  readonly sequence: number
  readonly offset: number
}

function offsetsOf(manifest: Manifest): StreamDamage['offsets'] {
  return manifest.count === 0 ? null : { from: manifest.firstOffset, to: nextOffsetOf(manifest) }
}

function isSameLineage(left: Manifest, right: Manifest): boolean {
  return isDeepStrictEqual(left.lineage, right.lineage)
}
