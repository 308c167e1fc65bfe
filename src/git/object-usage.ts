import { GriteError } from '../model/errors/index.ts'
import type { GitPort, Oid } from './port.ts'
import { createGitRunner, noLazyFetch } from './run-git.ts'

/** What `git count-objects` says of the whole repository. Bytes are those that files take on the disk. */
export interface ObjectCounts {
  readonly looseObjects: number
  readonly looseBytes: number
  readonly packs: number
  readonly packBytes: number
}

/** Counts loose objects and packs: one look at the folders, whatever the size of the history. */
export async function countObjects({ layout, environment }: GitPort): Promise<ObjectCounts> {
  const { stdout } = await createGitRunner(layout, environment).run(['count-objects', '-v'])
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

/**
 * Bytes that the objects reachable from some commits take, compressed as they are; null where git cannot tell: before
 * 2.31, and where objects are missing.
 *
 * @param without - commits whose objects are left out
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
