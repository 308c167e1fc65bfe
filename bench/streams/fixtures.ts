/** Writes large fixtures straight into a repository: to append and seal one by one would take minutes. */
import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Oid, PendingObject, RefName } from '../../src/git/index.ts'
import { storeZlib } from '../../src/git/stored-zlib.ts'
import {
  encodeRecord,
  encodeStreamId,
  FrameEncoder,
  type Incarnation,
  type Manifest,
  rootOfManifest,
  type StreamId,
} from '../../src/model/streams/index.ts'
import { encodeBatch } from '../../src/wal/append.ts'
import { loadSegmentTools, type SegmentTools } from '../../src/wal/streams/open-segment.ts'
import { sealRecords } from '../../src/wal/streams/seal-records.ts'
import { type StreamCommit, segmentStream } from '../../src/wal/streams/stream-codec.ts'
import { refOfStream } from '../../src/wal/streams/stream-refs.ts'
import { benchEnv } from '../measure.ts'
import { benchCloneId, creation, streamNamed } from './open-store.ts'

const firstTsUnixMs = 1_700_000_000_000

/** A stream of segments with one record each, in one pack. */
export async function writeTinySegments(cwd: string, streamId: StreamId, count: number): Promise<void> {
  const tools = await loadSegmentTools()
  const pack = new PackFile(cwd)
  let manifest = genesisOf(streamId)
  const { ref, stream } = streamOf(streamId, tools)
  let commit = pack.addCommit(stream, { manifest, segment: null, tsUnixMs: firstTsUnixMs }, [])
  for (let index = 0; index < count; index++) {
    const sealed = await sealRecords(tools, manifest, [recordOf(`record ${index}`, index)])
    manifest = sealed.manifest
    commit = pack.addCommit(stream, sealed, [commit])
  }
  pack.finish()
  writeRef(cwd, ref, commit)
}

/** Streams with one record in a journal each. Their refs are loose, and their commits in one pack. */
export async function writeStreams(cwd: string, count: number): Promise<void> {
  const tools = await loadSegmentTools()
  const pack = new PackFile(cwd)
  const folder = join(cwd, '.git/grite/streams')
  mkdirSync(folder, { recursive: true })
  const record = recordOf('a', 0)
  for (let index = 0; index < count; index++) {
    const streamId = streamNamed(`many/${index}`)
    const manifest = genesisOf(streamId)
    const { ref, stream } = streamOf(streamId, tools)
    const commit = pack.addCommit(stream, { manifest, segment: null, tsUnixMs: firstTsUnixMs }, [])
    writeRef(cwd, ref, commit)
    const token = randomBytes(8).toString('hex')
    const name = `${encodeStreamId(streamId)}.0.${'0'.repeat(20)}.${token}.journal`
    writeFileSync(join(folder, name), journalOf(tools, token, manifest, commit, record))
  }
  pack.finish()
}

function journalOf({ crc32c }: SegmentTools, token: string, manifest: Manifest, commit: Oid, record: Uint8Array) {
  const encoder = new FrameEncoder(token, crc32c, randomBytes)
  const { streamId, incarnation, generation } = manifest
  encoder.begin(0)
  encoder.addOpen({
    ...{ streamId, incarnation, generation, epoch: 1, firstOffset: 0, sealedCommit: commit },
    ...{ sealedRoot: rootOfManifest(manifest), previous: null },
  })
  encoder.addRecords(0, [record])
  return encoder.bytes
}

function recordOf(text: string, index: number): Uint8Array {
  const plain = { writer: null, key: null, contentType: null, headers: [], producer: null }
  return encodeRecord({ ...plain, tsUnixMs: firstTsUnixMs + index, payload: Buffer.from(text) })
}

function genesisOf(streamId: StreamId): Manifest {
  return {
    ...{ streamId, generation: 0, firstOffset: 0, commitCount: 1, count: 0, content: null },
    ...{ producers: [], entries: 0, peaks: [], act: { name: 'genesis' } },
    incarnation: randomBytes(8).toString('hex') as Incarnation,
    epoch: { number: 1, owner: benchCloneId },
    lineage: { kind: 'root', parents: [], metadata: { createdTs: firstTsUnixMs, ...creation } },
  }
}

function streamOf(streamId: StreamId, tools: SegmentTools) {
  const ref = refOfStream(streamId, 0)
  return { ref, stream: segmentStream(ref, streamId, tools) }
}

function writeRef(cwd: string, ref: RefName, commit: Oid): void {
  const path = join(cwd, '.git', ref)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `${commit}\n`)
}

const typeNumbers = { commit: 1, tree: 2, blob: 3, tag: 4 } as const
const headBytes = 12
const bufferedBytesMax = 1 << 20

/** One pack of small objects, which are not compressed. git makes its index. */
class PackFile {
  readonly #path: string
  readonly #descriptor: number
  readonly #known = new Set<Oid>()
  #buffered: Uint8Array[] = [Buffer.alloc(headBytes)]
  #bufferedBytes = headBytes

  constructor(cwd: string) {
    this.#path = join(cwd, '.git/objects/pack', `pack-${randomBytes(20).toString('hex')}.pack`)
    this.#descriptor = openSync(this.#path, 'wx+')
  }

  addCommit(stream: ReturnType<typeof segmentStream>, batch: StreamCommit, parents: readonly Oid[]): Oid {
    const { commit, objects } = encodeBatch('sha1', stream, batch, parents)
    for (const object of objects) this.#add(object)
    return commit
  }

  #add({ oid, type, content }: PendingObject): void {
    if (this.#known.has(oid)) return
    this.#known.add(oid)
    this.#put(entryHead(typeNumbers[type], content.length))
    this.#put(storeZlib(content))
  }

  #put(bytes: Uint8Array): void {
    this.#buffered.push(bytes)
    this.#bufferedBytes += bytes.length
    if (this.#bufferedBytes > bufferedBytesMax) this.#flush()
  }

  #flush(): void {
    writeSync(this.#descriptor, Buffer.concat(this.#buffered))
    this.#buffered = []
    this.#bufferedBytes = 0
  }

  finish(): void {
    this.#flush()
    const head = Buffer.alloc(headBytes)
    head.write('PACK', 'latin1')
    head.writeUInt32BE(2, 4)
    head.writeUInt32BE(this.#known.size, 8)
    writeSync(this.#descriptor, head, 0, headBytes, 0)
    const hash = createHash('sha1')
    const bytes = Buffer.alloc(bufferedBytesMax)
    let end = 0
    for (let read = bytes.length; read > 0; end += read) {
      read = readSync(this.#descriptor, bytes, 0, bytes.length, end)
      hash.update(bytes.subarray(0, read))
    }
    writeSync(this.#descriptor, hash.digest(), 0, 20, end)
    closeSync(this.#descriptor)
    execFileSync('git', ['index-pack', this.#path], { env: benchEnv as NodeJS.ProcessEnv, stdio: 'ignore' })
  }
}

/** Type and size of a pack entry (gitformat-pack(5)): four bits of the size beside the type, then seven per byte. */
function entryHead(type: number, size: number): Uint8Array {
  const bytes = [(type << 4) | (size & 15)]
  for (let left = size >> 4; left > 0; left >>= 7) {
    bytes[bytes.length - 1] = (bytes.at(-1) as number) | 0x80
    bytes.push(left & 0x7f)
  }
  return Uint8Array.from(bytes)
}
