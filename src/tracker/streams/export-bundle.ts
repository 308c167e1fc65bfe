/** Writes streams, with what they inherit, into one file: a git bundle. */
import { type FileHandle, open, rm } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { createBundle, newTemporaryPath } from '../../git/index.ts'
import { InvalidArgsError, NotFoundError, StorageError } from '../../model/index.ts'
import type { StreamId } from '../../model/streams/index.ts'
import type { StreamStore, StreamSummary } from '../../wal/streams/index.ts'
import type { CommandContext } from '../effects.ts'
import { DeferredText } from '../export/json-pieces.ts'
import { findOutputPlace } from '../local/output-place.ts'
import { makeFolder } from '../local/write-file-atomically.ts'
import { onProgressOf } from '../sync/begin-sync.ts'
import type { Workspace } from '../workspace.ts'
import { sealOwn } from './reach-remote.ts'
import { explainUnknown } from './stream-target.ts'

export interface ExportedStreamJson {
  readonly stream: string
  readonly incarnation: string
  readonly generation: number
  readonly head: string
  readonly root: string
  readonly next_offset: number
}

export interface ExportedBundle {
  /** Null for standard output. */
  readonly path: string | null
  readonly streams: readonly ExportedStreamJson[]
  /** The bundle in base64, where it is part of the answer. */
  readonly content?: DeferredText
}

/**
 * Seals what this clone has appended, and writes the bundle.
 *
 * @param named - empty for all streams
 * @param file - `-` for standard output, where it is written at once unless that takes JSON
 * @throws {NotFoundError} for an unknown id, or without any stream
 */
export async function exportBundle(
  context: CommandContext,
  repository: Workspace,
  named: readonly StreamId[],
  file: string,
): Promise<ExportedBundle> {
  const isPrinted = file === '-'
  if (isPrinted && context.isJson !== true && context.output?.isTerminal === true) {
    throw new InvalidArgsError('a bundle of streams is not for a terminal: name a file, or pipe it on', {
      details: { field: 'output', value: file },
    })
  }
  const streams = await repository.streams()
  const path = isPrinted ? null : resolve(context.cwd, file)
  const place = path === null ? null : await findOutputPlace(repository.layout, path)
  const found = await selectStreams(streams, named)
  await sealOwn(streams, [...new Set(found.map(({ streamId }) => streamId))])
  const sealed = await selectStreams(streams, named)
  const refs = sealed.map(({ ref }) => ref)
  const exported = sealed.map(({ streamId, incarnation, generation, head, root, sealedOffset }) => ({
    ...{ stream: streamId as string, incarnation: incarnation as string, generation },
    ...{ head: head as string, root, next_offset: sealedOffset },
  }))
  const progress = context.progress('Exporting')
  const create = async (to: string): Promise<void> => {
    try {
      await createBundle(repository.git, to, refs, onProgressOf(progress))
    } finally {
      progress.end()
    }
  }
  if (place !== null) {
    await create(place)
    return { path, streams: exported }
  }
  const chunks = await openBundle(repository, create)
  if (context.output === undefined || context.isJson === true) {
    return { path, streams: exported, content: new DeferredText(() => base64Of(chunks), 'base64') }
  }
  for await (const chunk of chunks) await context.output.write(chunk)
  return { path, streams: exported }
}

/** All generations. */
async function selectStreams(streams: StreamStore, named: readonly StreamId[]): Promise<readonly StreamSummary[]> {
  const all = await streams.list({ includeEnded: true })
  const ids = new Set(all.map(({ streamId }) => streamId))
  const unknown = named.find((id) => !ids.has(id))
  if (unknown !== undefined) {
    const error = new NotFoundError(`no stream '${unknown}'`, { details: { field: 'stream', stream: unknown } })
    throw await explainUnknown(streams, unknown, error)
  }
  if (all.length === 0) throw new NotFoundError('this repository has no streams', { details: { field: 'stream' } })
  const wanted = new Set(named)
  return named.length === 0 ? all : all.filter(({ streamId }) => wanted.has(streamId))
}

/** A multiple of 3, so that base64 needs no padding between chunks. */
const chunkBytes = 192 * 1024

/** Writes a bundle to a file that nobody sees, and gives what it holds. */
async function openBundle(
  { layout, paths }: Pick<Workspace, 'layout' | 'paths'>,
  create: (path: string) => Promise<void>,
): Promise<AsyncGenerator<Uint8Array>> {
  const draft = newTemporaryPath(layout)
  await makeFolder(dirname(draft), paths.permissions)
  try {
    await create(draft)
    const file = await open(draft)
    return (async function* () {
      try {
        for (let chunk = await readChunk(file); chunk.length > 0; chunk = await readChunk(file)) yield chunk
      } finally {
        await file.close()
      }
    })()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error
    throw new StorageError(`cannot read ${draft}: ${(error as Error).message}`, {
      details: { path: draft },
      cause: error,
    })
  } finally {
    await rm(draft, { force: true })
  }
}

/** Shorter only at the end of the file. */
async function readChunk(file: FileHandle): Promise<Uint8Array> {
  const chunk = Buffer.allocUnsafe(chunkBytes)
  for (let filled = 0; ; ) {
    const { bytesRead } = await file.read(chunk, filled, chunk.length - filled, null)
    filled += bytesRead
    if (bytesRead === 0 || filled === chunk.length) return chunk.subarray(0, filled)
  }
}

async function* base64Of(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  for await (const chunk of chunks) yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString('base64')
}
