import { lstatSync, readdirSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { GitNotFoundError, GriteError } from '../model/errors/index.ts'
import type { GitPort, Oid, RepositoryLayout } from './port.ts'
import { createGitRunner, noLazyFetch } from './run-git.ts'

/** The result of `git count-objects` for the whole repository. Bytes are disk usage. */
export interface ObjectCounts {
  readonly looseObjects: number
  readonly looseBytes: number
  readonly packs: number
  readonly packBytes: number
}

/** Counts loose objects and packs by listing folders, independent of the size of the history. */
export async function countObjects({ layout, environment }: GitPort): Promise<ObjectCounts> {
  try {
    const { stdout } = await createGitRunner(layout, environment).run(['count-objects', '-v'])
    return parseCounts(stdout)
  } catch (error) {
    if (!(error instanceof GitNotFoundError)) throw error
    return countInProcess(layout)
  }
}

function parseCounts(stdout: Buffer): ObjectCounts {
  const counts = new Map(
    stdout
      .toString('latin1')
      .split('\n')
      .map((line) => line.split(': ') as [string, string]),
  )
  const numberOf = (name: string) => Number(counts.get(name) ?? 0)
  return {
    looseObjects: numberOf('count'),
    looseBytes: 1024 * numberOf('size'),
    packs: numberOf('packs'),
    packBytes: 1024 * numberOf('size-pack'),
  }
}

/** Counts like git: blocks of loose objects, whole pack files. */
function countInProcess({ objectDir }: RepositoryLayout): ObjectCounts {
  const loose = filesBelow(objectDir, (folder) => /^[0-9a-f]{2}$/.test(folder)).filter(({ name }) =>
    /^[0-9a-f]+$/.test(name),
  )
  const packFiles = filesBelow(objectDir, (folder) => folder === 'pack')
  const packs = packFiles.filter(({ name }) => name.endsWith('.pack'))
  const bytesOf = (files: readonly FoundFile[], size: (file: FoundFile) => number) =>
    files.reduce((sum, file) => sum + size(file), 0)
  return {
    looseObjects: loose.length,
    looseBytes: bytesOf(loose, ({ stat }) => stat.blocks * 512),
    packs: packs.length,
    packBytes: bytesOf(
      packFiles.filter(({ name }) => /\.(pack|idx)$/.test(name)),
      ({ stat }) => stat.size,
    ),
  }
}

interface FoundFile {
  readonly name: string
  readonly stat: Stats
}

/** Files directly in the wanted subfolders of a folder. Skips files deleted meanwhile. */
function filesBelow(path: string, wants: (folder: string) => boolean): readonly FoundFile[] {
  return listFolder(path)
    .filter(wants)
    .flatMap((folder) =>
      listFolder(join(path, folder)).flatMap((name) => {
        const stat = lstatSync(join(path, folder, name), { throwIfNoEntry: false })
        return stat === undefined ? [] : [{ name, stat }]
      }),
    )
}

function listFolder(path: string): readonly string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

/**
 * Compressed bytes of the objects reachable from some commits; null where git cannot tell: before 2.31, and where
 * objects are missing.
 *
 * @param without - commits whose objects are excluded
 */
export async function reachableBytes(
  { layout, environment }: GitPort,
  heads: readonly Oid[],
  without: readonly Oid[] = [],
): Promise<number | null> {
  if (heads.length === 0) return 0
  const input = Buffer.from([...heads, ...without.map((oid) => `^${oid}`), ''].join('\n'), 'latin1')
  try {
    const { stdout } = await createGitRunner(layout, environment).run(
      ['rev-list', '--objects', '--disk-usage', '--use-bitmap-index', '--stdin'],
      { input, environment: noLazyFetch },
    )
    return Number(stdout.toString('latin1').trim())
  } catch (error) {
    if (error instanceof GriteError) return null
    throw error
  }
}
