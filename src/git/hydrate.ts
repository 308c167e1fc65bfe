import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { NotFoundError } from '../model/index.ts'
import { booleanValue, lastValue, parseFileConfig } from './file-config.ts'
import type { Oid, RepositoryLayout } from './port.ts'
import type { RemotePort } from './remote-port.ts'

/** Fetches the objects that this clone lacks from the history of `head`, without the history of `exclude`. */
export type Hydrate = (head: Oid, exclude: readonly Oid[]) => Promise<void>

/** Each round reveals more objects: root trees, everything below them, and one extra round. */
const hydrateRoundsMax = 4

/**
 * Creates a function that fetches the trees and blobs of the log that a partial clone left at its remote, one fetch per
 * kind; undefined in a full clone. Throws when they cannot be fetched: a log with holes would pass for a complete one.
 */
export function hydrator(repository: {
  readonly layout: RepositoryLayout
  readonly remotes: RemotePort
}): Hydrate | undefined {
  const promisor = findPromisor(repository.layout)
  if (promisor === undefined) return undefined
  return async (head, exclude) => {
    const { remotes } = repository
    const listMissing = () =>
      remotes.listMissing(head, exclude).catch(async (error: unknown) => {
        // An excluded commit is gone: check the whole history of the head.
        if (!(error instanceof NotFoundError) || exclude.length === 0) throw error
        return remotes.listMissing(head, [])
      })
    for (let round = 0; round < hydrateRoundsMax; round++) {
      const missing = await listMissing()
      if (missing.length === 0) return
      await remotes.fetchObjects(promisor, missing)
    }
  }
}

/** The remote of a partial clone: `remote.<name>.promisor`, or `extensions.partialClone` in older gits. */
export function findPromisor({ commonDir }: RepositoryLayout): string | undefined {
  let text: string
  try {
    text = readFileSync(join(commonDir, 'config'), 'utf8')
  } catch {
    return undefined
  }
  if (!/promisor|partialclone/i.test(text)) return undefined
  const config = parseFileConfig(text)
  if (config === null) return undefined
  const ofRemote = [...config.keys()].find(
    (key) => /^remote\..*\.promisor$/s.test(key) && booleanValue(config, key) === true,
  )
  return ofRemote?.slice('remote.'.length, -'.promisor'.length) ?? lastValue(config, 'extensions.partialclone')
}
