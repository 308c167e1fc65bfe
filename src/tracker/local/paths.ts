/** Paths of grite's own files, all below `<common git dir>/grite/`, which all work trees share. */
import { join } from 'node:path'
import type { RepositoryLayout, SharedPermissions } from '../../git/index.ts'
import type { ActorId } from '../../model/index.ts'

export interface GritePaths {
  /** Modes of new files. */
  readonly permissions: SharedPermissions
  readonly home: string
  readonly config: string
  readonly actors: string
  /** Local writers queue on this file. */
  readonly appendQueue: string
  /** Cache of parsed locks. */
  readonly lockMemory: string
  /** Cache of the times at which remotes last refused to delete ended leases. */
  readonly refusedDeletions: string
  /** Editor drafts that are not in an issue yet. */
  readonly drafts: string
  /** Cache of the snapshots that this clone made or checked. */
  readonly snapshotMemory: string
  /** Cache of the hashes of source files. */
  readonly contentHashes: string
  readonly actorDir: (id: ActorId | string) => string
  /** Note about the last known state of an actor's own card in the log. */
  readonly ownCard: (id: ActorId) => string
  /** Folder of numbered LevelDB directories. */
  readonly viewLevels: (actor: ActorId | undefined) => string
}

export function gritePaths({ commonDir }: RepositoryLayout, permissions: SharedPermissions): GritePaths {
  const home = join(commonDir, 'grite')
  const actors = join(home, 'actors')
  return {
    permissions,
    home,
    config: join(home, 'config.toml'),
    actors,
    appendQueue: join(home, 'append'),
    lockMemory: join(home, 'locks.json'),
    refusedDeletions: join(home, 'refused-deletions'),
    drafts: join(home, 'drafts'),
    snapshotMemory: join(home, 'snapshots.json'),
    contentHashes: join(home, 'content-hashes'),
    actorDir: (id) => join(actors, id),
    ownCard: (id) => join(actors, id, 'card'),
    viewLevels: (actor) => (actor === undefined ? join(home, 'view') : join(actors, actor, 'level')),
  }
}
