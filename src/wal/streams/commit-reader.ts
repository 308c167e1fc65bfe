/** Reads single stream commits from git: hints from their messages, manifests, segments. */
import { type GitPort, metadataBytesMax, type Oid, parseCommit, parseTree } from '../../git/index.ts'
import { CorruptObjectError, ObjectTooLargeError } from '../../model/index.ts'
import {
  decodeManifest,
  type Manifest,
  parseTrailers,
  SegmentRecords,
  StreamFormatError,
  streamLimits,
  type Trailers,
} from '../../model/streams/index.ts'
import { loadSegmentTools, openSegment } from './open-segment.ts'
import { indexFile, manifestFile, segmentFiles } from './stream-codec.ts'

/** An object of a stream that is missing, corrupt or not in the format. */
export class UnreadableCommitError extends Error {
  override readonly name = 'UnreadableCommitError'
  constructor(
    readonly objectId: Oid,
    reason: string,
  ) {
    super(reason)
  }
}

export interface CommitFacts {
  readonly tree: Oid
  readonly parents: readonly Oid[]
  readonly message: string
  readonly committedAtUnixSeconds: number
}

/** @throws {UnreadableCommitError} when it is not a readable commit */
export async function readCommitFacts(git: GitPort, oid: Oid): Promise<CommitFacts> {
  const { type, content } = await readObject(git, oid, metadataBytesMax)
  if (type !== 'commit') throw new UnreadableCommitError(oid, `${oid} is not a commit, but a ${type}`)
  try {
    return parseCommit(content)
  } catch (error) {
    if (!(error instanceof CorruptObjectError)) throw error
    throw new UnreadableCommitError(oid, `commit ${oid} is damaged`)
  }
}

/** What a commit's message says of it; null for a commit that is not of a stream. */
export function hintsOf({ message }: Pick<CommitFacts, 'message'>): Trailers | null {
  return parseTrailers(message)
}

export interface ReadManifest {
  readonly commit: Oid
  readonly manifest: Manifest
  /** All parents in git. */
  readonly parents: readonly Oid[]
  /** Rows of the commit's tree. */
  readonly files: ReadonlyMap<string, Oid>
}

/** Manifests kept in memory, for readers that come back to a commit. */
const keptMax = 256

export class ManifestReader {
  readonly #git: GitPort
  readonly #kept = new Map<Oid, ReadManifest>()

  constructor(git: GitPort) {
    this.#git = git
  }

  /** @throws {UnreadableCommitError} when the commit, its tree or its manifest is unreadable */
  async read(commit: Oid): Promise<ReadManifest> {
    const kept = this.#kept.get(commit)
    if (kept !== undefined) {
      this.#kept.delete(commit)
      this.#kept.set(commit, kept)
      return kept
    }
    const { tree, parents } = await readCommitFacts(this.#git, commit)
    const files = await readTreeRows(this.#git, tree)
    const oid = files.get(manifestFile)
    if (oid === undefined) throw new UnreadableCommitError(commit, `commit ${commit} has no ${manifestFile}`)
    const { content } = await readObject(this.#git, oid, streamLimits.manifestBytesMax)
    const found = { commit, manifest: decoded(oid, content), parents, files }
    this.#kept.set(commit, found)
    if (this.#kept.size > keptMax) this.#kept.delete(this.#kept.keys().next().value as Oid)
    return found
  }

  /**
   * The stored records of a commit's segment; none for a commit without one.
   * @throws {UnreadableCommitError} when a file is unreadable or does not match the manifest
   */
  async readSegment({ commit, manifest, files }: ReadManifest): Promise<SegmentRecords> {
    if (manifest.content !== null && manifest.act?.name === 'unknown') throw unknownAct(commit, manifest.act.text)
    if (manifest.content?.kind !== 'segment') return SegmentRecords.none
    const { row } = manifest.content
    const name = segmentFiles[row.codec]
    const [segmentOid, indexOid] = [files.get(name), files.get(indexFile)]
    if (segmentOid === undefined || indexOid === undefined)
      throw new UnreadableCommitError(commit, `commit ${commit} has no ${segmentOid ? indexFile : name}`)
    const bytesMax = streamLimits.rawSegmentBytesMax
    const [stored, index] = [
      await readObject(this.#git, segmentOid, bytesMax),
      await readObject(this.#git, indexOid, bytesMax),
    ]
    const tools = await loadSegmentTools()
    try {
      return openSegment(tools, { row, count: manifest.count, stored: stored.content, index: index.content })
    } catch (error) {
      if (!(error instanceof StreamFormatError)) throw error
      throw new UnreadableCommitError(segmentOid, `${name} ${segmentOid}: ${error.message}`)
    }
  }
}

/** What the content of such a commit means, only a later version knows. */
function unknownAct(commit: Oid, name: string): UnreadableCommitError {
  return new UnreadableCommitError(commit, `commit ${commit} has an act of a later version, '${name}', with records`)
}

function decoded(oid: Oid, content: Uint8Array): Manifest {
  try {
    return decodeManifest(content)
  } catch (error) {
    if (!(error instanceof StreamFormatError)) throw error
    throw new UnreadableCommitError(oid, `manifest ${oid}: ${error.message}`)
  }
}

async function readTreeRows(git: GitPort, tree: Oid): Promise<ReadonlyMap<string, Oid>> {
  const { type, content } = await readObject(git, tree, metadataBytesMax)
  if (type !== 'tree') throw new UnreadableCommitError(tree, `${tree} is not a tree`)
  try {
    return new Map(parseTree(git.layout.objectFormat, content).map(({ name, oid }) => [name, oid]))
  } catch (error) {
    if (!(error instanceof CorruptObjectError)) throw error
    throw new UnreadableCommitError(tree, `tree ${tree} is damaged`)
  }
}

async function readObject(git: GitPort, oid: Oid, bytesMax: number) {
  try {
    const object = await git.readObject(oid, bytesMax)
    if (object !== null) return object
  } catch (error) {
    if (error instanceof CorruptObjectError) throw new UnreadableCommitError(oid, `object ${oid} is corrupt`)
    if (error instanceof ObjectTooLargeError)
      throw new UnreadableCommitError(oid, `object ${oid} is larger than ${bytesMax} bytes`)
    throw error
  }
  throw new UnreadableCommitError(oid, `object ${oid} is missing`)
}
