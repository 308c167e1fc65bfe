import { open, rm, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { isBundle, newTemporaryPath } from '../../git/index.ts'
import { ConflictError, InvalidArgsError, NotFoundError, RemoteError, StorageError } from '../../model/index.ts'
import { shownStreamId } from '../../model/streams/index.ts'
import { describePosition, type FetchedStream, type Imported } from '../../wal/streams/index.ts'
import type { CommandContext } from '../effects.ts'
import { makeFolder } from '../local/write-file-atomically.ts'
import type { Workspace } from '../workspace.ts'
import { describeDamage } from './open-streams.ts'
import { positionJson, type RemoteContext, reachRemote } from './reach-remote.ts'

type BundleContext = RemoteContext & Pick<CommandContext, 'cwd'>

export interface BundleSource {
  /** As the user named it: a path, or `-` for standard input. */
  readonly file: string
  /** What it holds, where it is no file that git can open. */
  readonly chunks: AsyncIterable<Uint8Array> | null
  /** Checks everything, and brings nothing here. */
  readonly isDryRun: boolean
}

/**
 * Restores the streams of a bundle: all of them, or none.
 *
 * @throws {InvalidArgsError} when the file is no bundle of streams, or something in it is damaged
 * @throws {ConflictError} when this clone and the bundle both have records of their own
 */
export async function importBundle(
  context: BundleContext,
  repository: Workspace,
  { file, chunks, isDryRun }: BundleSource,
): Promise<readonly FetchedStream[]> {
  const name = file === '-' ? 'standard input' : file
  if (chunks === null)
    return await importFrom(context, repository, { name, path: resolve(context.cwd, file), isDryRun })
  const copy = newTemporaryPath(repository.layout)
  await makeFolder(dirname(copy), repository.paths.permissions)
  try {
    await writeCopy(copy, chunks)
    return await importFrom(context, repository, { name, path: copy, isDryRun })
  } finally {
    await rm(copy, { force: true })
  }
}

async function writeCopy(path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    await writeFile(path, chunks, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error
    throw new StorageError(`cannot write ${path}: ${(error as Error).message}`, { details: { path }, cause: error })
  }
}

/** What git opens, and what messages call it. */
interface BundleFile {
  readonly name: string
  readonly path: string
  readonly isDryRun: boolean
}

async function importFrom(
  context: BundleContext,
  repository: Workspace,
  { name, path, isDryRun }: BundleFile,
): Promise<readonly FetchedStream[]> {
  await requireBundle(name, path)
  const chosen = { name: path, isHome: false }
  const work = () =>
    reachRemote(context, repository, chosen, 'Importing', (place, streams) => streams.importBundle(place, isDryRun))
  const imported = await work().catch((error: unknown) => {
    if (!(error instanceof RemoteError)) throw error
    throw new InvalidArgsError(`cannot read the bundle ${name}: ${error.message}; nothing was imported`, {
      details: { field: 'file', value: name },
      cause: error,
    })
  })
  return requireImported(name, imported)
}

async function requireBundle(name: string, path: string): Promise<void> {
  const fail = (cause: unknown): never => {
    throw new NotFoundError(`cannot read ${name}: ${(cause as Error).message}`, {
      details: { field: 'file', value: name },
      cause,
    })
  }
  const file = await open(path).catch(fail)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(16), 0, 16, 0).catch(fail)
    if (isBundle(buffer.subarray(0, bytesRead))) return
  } finally {
    await file.close()
  }
  throw noStreams(name, 'is not a bundle of git')
}

function requireImported(name: string, imported: Imported): readonly FetchedStream[] {
  switch (imported.outcome) {
    case 'imported':
      if (imported.streams.length === 0) throw noStreams(name, 'holds no streams')
      return imported.streams
    case 'too-many':
      throw noStreams(name, `holds ${imported.foundCount} streams, more than a clone can have`)
    case 'damaged': {
      const [first, ...others] = imported.damage.map(describeDamage)
      const more = others.length === 0 ? '' : `; and ${others.length} more`
      throw new InvalidArgsError(`${name} is damaged: ${first}${more}; nothing was imported`, {
        details: { field: 'file', value: name, damage: imported.damage.slice(0, damageShownMax) },
      })
    }
    case 'diverged':
      throw divergedFrom(name, imported.streams)
  }
}

/** Objects of a damaged file that an error names. */
const damageShownMax = 20

function noStreams(name: string, what: string): InvalidArgsError {
  return new InvalidArgsError(`${name} ${what}; nothing was imported`, {
    details: { field: 'file', value: name },
    hints: ['Make a file of streams with `grite stream export <file>`'],
  })
}

function divergedFrom(name: string, streams: readonly FetchedStream[]): ConflictError {
  const [first] = streams as readonly [FetchedStream]
  const here = first.local === null ? 'only a journal' : describePosition(first.local)
  const more = streams.length === 1 ? '' : `; so are ${streams.length - 1} more`
  const message =
    `stream '${shownStreamId(first.streamId)}' has diverged (${first.reason}): here it is at ${here}, in ${name} at ` +
    `${describePosition(first.remote)}${more}; nothing was imported`
  const describe = ({ streamId, local, remote, reason }: FetchedStream) => ({
    ...{ stream: streamId as string, reason_text: reason },
    ...{ local: local && positionJson(local), remote: positionJson(remote) },
  })
  return new ConflictError(message, {
    details: { ...describe(first), reason: 'diverged', others: streams.slice(1).map(describe) },
    hints: ['Import it into an empty repository, and fetch from there what you need'],
  })
}
