/** Finds the head of a stream: the newest commit of its newest generation. */
import type { GitPort, Oid, RefName } from '../../git/index.ts'
import { ConflictError, DamagedStreamError, NotFoundError } from '../../model/index.ts'
import { encodeStreamId, type Manifest, type StreamId, shownStreamId } from '../../model/streams/index.ts'
import { type ManifestReader, UnreadableCommitError } from './commit-reader.ts'
import { listStreamRefs, refOfStream } from './stream-refs.ts'

export interface StreamHead {
  readonly ref: RefName
  readonly commit: Oid
  readonly manifest: Manifest
}

export type StreamState = 'live' | 'deleted' | 'continued'

export function stateOf({ act }: Pick<Manifest, 'act'>): StreamState {
  if (act?.name === 'tombstone') return 'deleted'
  return act?.name === 'continued' ? 'continued' : 'live'
}

/** Generations that are looked up by name before all refs are listed. */
const probesMax = 64

export class StreamHeads {
  readonly #git: GitPort
  readonly #manifests: ManifestReader
  /** The newest generation of each id that was found, where refs of older ones are gone. */
  #listed: Promise<ReadonlyMap<string, number>> | null = null
  readonly #generations = new Map<StreamId, number>()

  constructor(git: GitPort, manifests: ManifestReader) {
    this.#git = git
    this.#manifests = manifests
  }

  /**
   * The newest generation's head, even of a deleted stream; null for an id that was never used here.
   * @throws {DamagedStreamError} when the ref points to something else than a commit of the stream
   */
  async find(streamId: StreamId): Promise<StreamHead | null> {
    const known = this.#generations.get(streamId) ?? 0
    // A rescue removes generations that go on from an end that the stream no longer has.
    const head = (await this.#follow(streamId, known)) ?? (known > 0 ? await this.#follow(streamId, 0) : null)
    if (head !== null) return this.#note(streamId, head)
    // Generations before may have been purged.
    const listed = (await this.#list()).get(encodeStreamId(streamId))
    const later = listed === undefined || listed === known ? null : await this.#follow(streamId, listed)
    return later === null ? null : this.#note(streamId, later)
  }

  /** Like `find`. @throws {NotFoundError} for a stream that does not exist or is deleted */
  async require(streamId: StreamId): Promise<StreamHead> {
    const head = await this.find(streamId)
    const shown = shownStreamId(streamId)
    if (head === null) throw new NotFoundError(`no stream '${shown}'`, { details: { stream: streamId } })
    if (stateOf(head.manifest) !== 'deleted') return head
    const details = { stream: streamId, object_id: head.commit }
    throw new NotFoundError(`stream '${shown}' was deleted`, { details })
  }

  /** @throws {ConflictError} when the stream exists. @returns the generation that a new one begins with */
  async requireFree(streamId: StreamId): Promise<number> {
    const head = await this.find(streamId)
    if (head === null) return 0
    if (stateOf(head.manifest) === 'deleted') return head.manifest.generation + 1
    throw new ConflictError(`stream '${shownStreamId(streamId)}' exists`, {
      details: { reason: 'exists', stream: streamId, ref: head.ref, object_id: head.commit },
      hints: [],
    })
  }

  #note(streamId: StreamId, head: StreamHead): StreamHead {
    this.#generations.set(streamId, head.manifest.generation)
    return head
  }

  async #follow(streamId: StreamId, from: number): Promise<StreamHead | null> {
    let head = await this.read(streamId, from)
    for (let probes = 0; head !== null && probes < probesMax; probes++) {
      const { generation, act } = head.manifest
      if (act?.name !== 'continued' && act?.name !== 'tombstone') return head
      const next = await this.read(streamId, act.name === 'continued' ? act.nextGeneration : generation + 1)
      if (next === null || next.manifest.generation <= generation) return head
      head = next
    }
    return head
  }

  /** The head of one generation; null when its ref does not exist. @throws {DamagedStreamError} on a foreign one */
  async read(streamId: StreamId, generation: number): Promise<StreamHead | null> {
    const ref = refOfStream(streamId, generation)
    const commit = await this.#git.readRef(ref)
    if (commit === null) return null
    try {
      const { manifest } = await this.#manifests.read(commit)
      if (manifest.streamId === streamId && manifest.generation === generation) return { ref, commit, manifest }
      throw new UnreadableCommitError(commit, `${commit} is a commit of another stream`)
    } catch (error) {
      if (!(error instanceof UnreadableCommitError)) throw error
      throw new DamagedStreamError(`stream '${shownStreamId(streamId)}' (${ref}): ${error.message}`, {
        details: { stream: streamId, ref, object_id: error.objectId },
      })
    }
  }

  #list(): Promise<ReadonlyMap<string, number>> {
    // Once: listing ten thousand refs for each new stream would take minutes.
    this.#listed ??= listStreamRefs(this.#git, () => {}).then((refs) => {
      const newest = new Map<string, number>()
      for (const { encoded, generation } of refs) newest.set(encoded, Math.max(newest.get(encoded) ?? 0, generation))
      return newest
    })
    return this.#listed
  }
}
