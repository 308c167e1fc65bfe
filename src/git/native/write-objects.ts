import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { GitError } from '../../model/errors/index.ts'
import type { Disk, OpenFile } from '../durable/disk.ts'
import type { FlushSettings } from '../durable/flush-settings.ts'
import { formatOwner, type Owner } from '../durable/owner.ts'
import type { PendingObject, RepositoryLayout } from '../port.ts'
import { looseObjectPath, packDir } from '../ref-paths.ts'
import type { GitRunner } from '../run-git.ts'
import { encodePack } from './pack-writer.ts'

/** Above this a batch is kept as the pack it is sent in: one file to flush, where loose objects are one each. */
export const looseObjectsMax = 256

export interface ObjectWriterContext {
  readonly git: GitRunner
  readonly disk: Disk
  readonly layout: RepositoryLayout
  readonly owner: Owner
  readonly flushes: FlushSettings
}

/** What core.fsync git is run with. Loose objects are not in it: git flushes them one by one, we side by side. */
export function flushArguments({ chosenByUser }: FlushSettings): readonly string[] {
  return chosenByUser ? [] : ['-c', 'core.fsync=pack,pack-metadata,reference']
}

/**
 * Writes objects and makes them durable.
 *
 * @returns what to call once a ref reaches them: until then `git gc` keeps its hands off a pack of ours
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

async function writeLooseObjects(context: ObjectWriterContext, objects: readonly PendingObject[]): Promise<void> {
  const { git, layout, flushes } = context
  const input = [...encodePack(layout.objectFormat, objects)]
  await git.run([...flushArguments(flushes), 'unpack-objects', '-q'], { input })
  if (flushes.objects) await flushLooseObjects(context, objects)
}

// What git found in a pack, or in an alternate, is not here; it was flushed by who wrote it.
async function flushLooseObjects(
  { disk, layout }: ObjectWriterContext,
  objects: readonly PendingObject[],
): Promise<void> {
  const paths = objects.map(({ oid }) => looseObjectPath(layout, oid)).filter((path) => existsSync(path))
  const files: OpenFile[] = []
  try {
    for (const path of paths) files.push(disk.openFile(path))
    await disk.flushFiles(files)
  } finally {
    for (const file of files) disk.closeFile(file)
  }
  await disk.flushDirectories([...new Set([...paths.map(dirname), layout.objectDir])])
}

/** First word of a `.keep` of ours; the owner follows, so that those of dead writers can be told and removed. */
export const keepWord = 'grite'

async function writePack(context: ObjectWriterContext, objects: readonly PendingObject[]): Promise<() => void> {
  const { git, disk, layout, owner, flushes } = context
  const keep = `--keep=${keepWord} ${formatOwner(owner)}`
  const { stdout } = await git.run([...flushArguments(flushes), 'index-pack', '--stdin', keep], {
    input: Readable.from(encodePack(layout.objectFormat, objects)),
  })
  const [word, name] = stdout.toString('latin1').trim().split('\t')
  if (name === undefined || !/^[0-9a-f]+$/.test(name))
    throw new GitError(`git index-pack answered ${JSON.stringify(word)}`)
  if (flushes.objects) await disk.flushDirectories([packDir(layout), layout.objectDir])
  return () => {
    if (word === 'keep') disk.remove(join(packDir(layout), `pack-${name}.keep`))
  }
}
