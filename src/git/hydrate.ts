import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { NotFoundError } from '../model/index.ts'
import { booleanValue, lastValue, parseFileConfig } from './file-config.ts'
import type { Oid, RepositoryLayout } from './port.ts'
import type { RemotePort } from './remote-port.ts'

/** Brings what the history of a head, without that of others, lacks in this clone. */
export type Hydrate = (head: Oid, exclude: readonly Oid[]) => Promise<void>

/** What lies in trees is known once these are here: root trees, all that is below them, one more for good measure. */
const hydrateRoundsMax = 4

/**
 * What fetches the trees and blobs of the log that a partial clone left at its remote, each kind in one go; undefined in a
 * clone that has everything. Where they cannot be had, the error says so: a log with holes would pass for the whole one.
 */
export function hydrator({
  layout,
  remotes,
}: {
  readonly layout: RepositoryLayout
  readonly remotes: RemotePort
}): Hydrate | undefined {
  const promisor = findPromisor(layout)
  if (promisor === undefined) return undefined
  return async (head, exclude) => {
    const listMissing = () =>
      remotes.listMissing(head, exclude).catch(async (error: unknown) => {
        // One of the others is gone: then all of the head is looked at.
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

/** The remote of a partial clone: `remote.<name>.promisor`, or `extensions.partialClone` as older gits have it. */
export function findPromisor({ commonDir }: RepositoryLayout): string | undefined {
  let text: string
  try {
    text = readFileSync(join(commonDir, 'config'), 'utf8')
  } catch {
    return undefined
  }
  const config = parseFileConfig(text)
  if (config === null) return undefined
  const ofRemote = [...config.keys()].find(
    (key) => /^remote\..*\.promisor$/s.test(key) && booleanValue(config, key) === true,
  )
  return ofRemote?.slice('remote.'.length, -'.promisor'.length) ?? lastValue(config, 'extensions.partialclone')
}
