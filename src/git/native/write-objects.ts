import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { GitError, GriteError } from '../../model/errors/index.ts'
import type { Disk, OpenFile } from '../durable/disk.ts'
import { removeOrWarn, type WarnOfFile } from '../durable/file-warning.ts'
import type { FlushSettings } from '../durable/flush-settings.ts'
import { formatOwner, type Owner } from '../durable/owner.ts'
import { errnoOf, objectsVanished, retryVanishing } from '../durable/storage-failure.ts'
import type { Environment } from '../locate-git.ts'
import type { Oid, PendingObject, RepositoryLayout } from '../port.ts'
import { looseObjectPath, packDir } from '../ref-paths.ts'
import { type GitRunner, noLazyFetch } from '../run-git.ts'
import { setAsideCorruptObject } from '../set-aside.ts'
import { encodePack } from './pack-writer.ts'

/** A larger batch is kept as the pack it is sent in: one file to flush instead of one per loose object. */
export const looseObjectsMax = 256

export interface ObjectWriterContext {
  readonly git: GitRunner
  readonly disk: Disk
  readonly layout: RepositoryLayout
  readonly owner: Owner
  readonly warn: WarnOfFile
  readonly writeEnvironment: () => Environment
  readonly flushes: FlushSettings
}

/** The core.fsync value for git. It excludes loose objects: git flushes them one by one, we do it in parallel. */
export function flushArguments({ chosenByUser }: FlushSettings): readonly string[] {
  return chosenByUser ? [] : ['-c', 'core.fsync=pack,pack-metadata,reference']
}

/**
 * For a git that fetches objects, whose names we do not know: it flushes loose objects as well, all with one flush. It
 * writes refs in a room that is discarded after a power cut; a remote may have tens of thousands of them. Before 2.36
 * git knows neither setting and flushes packs only.
 */
export function flushLooseArguments({ objects, chosenByUser, methodChosenByUser }: FlushSettings): readonly string[] {
  if (chosenByUser || !objects) return []
  const method = methodChosenByUser ? [] : ['-c', 'core.fsyncMethod=batch']
  return ['-c', 'core.fsync=loose-object,pack,pack-metadata', ...method]
}

/**
 * Writes objects and makes them durable.
 *
 * @returns a function to call once a ref reaches them: until then our pack is kept from `git gc`
 */
export async function writeObjects(
  context: ObjectWriterContext,
  objects: readonly PendingObject[],
): Promise<() => void> {
  if (objects.length === 0) return () => {}
  if (objects.length > looseObjectsMax) return writePack(context, objects)
  await writeLooseObjects(context, objects)
  return () => {}
}

// object-file.c: write_loose_object(), finalize_object_file() and create_tmpfile(); builtin/index-pack.c: rename_tmp_packfile().
const vanishedWhileWritten = /unable to (write|create|rename|set permission).*No such file or directory/is
// builtin/index-pack.c: sha1_object(). It says the same of a damaged object.
const unreadWhileCompared = /cannot read existing object(?: info)? ([0-9a-f]{40,64})/i

/**
 * A concurrent `git prune` removes temp files and empty folders while git uses them, and objects that git compares with ours. A
 * damaged object of these is set aside: its sound content is being written.
 */
async function writeByGit<Result>(
  layout: RepositoryLayout,
  objects: readonly PendingObject[],
  write: () => Promise<Result>,
): Promise<Result> {
  const retry = retryVanishing(0)
  for (;;) {
    try {
      return await write()
    } catch (error) {
      const said = error instanceof GriteError ? error.details.stderr : undefined
      const [isCompared, oid] = unreadWhileCompared.exec(`${said}`) ?? []
      if (isCompared === undefined && !vanishedWhileWritten.test(`${said}`)) throw error
      if (oid !== undefined && setAsideCorruptObject(layout, oid as Oid) !== null) continue
      if (!(await retry.again()))
        throw isCompared === undefined ? objectsVanished(objects.map(({ oid }) => oid)) : error
    }
  }
}

async function writeLooseObjects(context: ObjectWriterContext, objects: readonly PendingObject[]): Promise<void> {
  const { flushes } = context
  const deflated = objects.filter(({ isStored }) => isStored !== true)
  const stored = objects.filter(({ isStored }) => isStored === true)
  if (deflated.length > 0) await unpackObjects(context, deflated, [])
  // git deflates everything it unpacks with one setting.
  if (stored.length > 0) await unpackObjects(context, stored, ['-c', 'core.looseCompression=0'])
  if (flushes.objects) await flushLooseObjects(context, objects)
}

async function unpackObjects(
  context: ObjectWriterContext,
  objects: readonly PendingObject[],
  settings: readonly string[],
): Promise<void> {
  const { git, layout, flushes } = context
  const input = [...encodePack(layout.objectFormat, objects)]
  const args = [...flushArguments(flushes), ...settings, 'unpack-objects', '-q']
  await writeByGit(layout, objects, () => git.run(args, { input, environment: context.writeEnvironment() }))
}

/** Objects that are not in the repository, with a single query to git. */
export async function findVanishedNatively(
  { git }: Pick<ObjectWriterContext, 'git'>,
  objects: readonly PendingObject[],
): Promise<readonly PendingObject[]> {
  if (objects.length === 0) return []
  const input = Buffer.from(objects.map(({ oid }) => `${oid}\n`).join(''), 'latin1')
  const { stdout } = await git.run(['cat-file', '--batch-check', '--buffer'], { input, environment: noLazyFetch })
  const answers = stdout.toString('latin1').split('\n')
  return objects.filter((_object, row) => answers[row]?.endsWith(' missing') ?? true)
}

/** Rewrites objects that `git gc --prune=now` removed. @throws {StorageError} when one keeps vanishing */
export async function writeVanishedNatively(
  context: ObjectWriterContext,
  objects: readonly PendingObject[],
): Promise<void> {
  const retry = retryVanishing(0)
  for (let write = writeObjects; ; write = writePack) {
    const vanished = await findVanishedNatively(context, objects)
    if (vanished.length === 0) return
    if (!(await retry.again())) throw objectsVanished(vanished.map(({ oid }) => oid))
    const release = await write(context, vanished)
    release()
  }
}

// Objects that git found in a pack or an alternate have no file here; their writer flushed them.
async function flushLooseObjects(
  { disk, layout }: ObjectWriterContext,
  objects: readonly PendingObject[],
): Promise<void> {
  const paths = objects.map(({ oid }) => looseObjectPath(layout, oid)).filter((path) => existsSync(path))
  const files: OpenFile[] = []
  try {
    for (const path of paths) files.push(...openIfThere(disk, path))
    await disk.flushFiles(files)
  } finally {
    for (const file of files) disk.closeFile(file)
  }
  await disk.flushDirectories([...new Set([...paths.map(dirname), layout.objectDir])])
}

// Pruning is checked after the ref has moved.
function openIfThere(disk: Disk, path: string): readonly OpenFile[] {
  try {
    return [disk.openFile(path)]
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  }
}

/** First word of our `.keep` files; the owner follows, so that those of dead writers can be recognised and removed. */
export const keepWord = 'grite'

/**
 * Like `writeObjects`, always as a pack: `git prune` removes no packs, so this helps when loose objects keep vanishing.
 */
export async function writePack(context: ObjectWriterContext, objects: readonly PendingObject[]): Promise<() => void> {
  if (objects.length === 0) return () => {}
  const { git, disk, layout, owner, warn, flushes } = context
  const keep = `--keep=${keepWord} ${formatOwner(owner)}`
  const args = [...flushArguments(flushes), 'index-pack', '--stdin', keep]
  const { stdout } = await writeByGit(layout, objects, () => {
    const input = Readable.from(encodePack(layout.objectFormat, objects))
    return git.run(args, { input, environment: context.writeEnvironment() })
  })
  const [word, name] = stdout.toString('latin1').trim().split('\t')
  if (name === undefined || !/^[0-9a-f]+$/.test(name))
    throw new GitError(`git index-pack answered ${JSON.stringify(word)}`)
  if (flushes.objects) await disk.flushDirectories([packDir(layout), layout.objectDir])
  return () => {
    if (word === 'keep') removeOrWarn(disk.remove, join(packDir(layout), `pack-${name}.keep`), warn)
  }
}
