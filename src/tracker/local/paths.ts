/** Where grite keeps its own files: all below `<common git dir>/grite/`, shared by the repository's work trees. */
import { join } from 'node:path'
import type { RepositoryLayout, SharedPermissions } from '../../git/index.ts'
import type { ActorId } from '../../model/index.ts'

export interface GritePaths {
  /** What modes new files get. */
  readonly permissions: SharedPermissions
  readonly home: string
  readonly config: string
  readonly actors: string
  /** Local appenders queue on this name. */
  readonly appendQueue: string
  /** What locks said that have been read: a cache. */
  readonly lockMemory: string
  /** When remotes last refused to delete ended leases: a cache. */
  readonly refusedDeletions: string
  /** Texts of an editor that are in no issue yet. */
  readonly drafts: string
  /** Which snapshots this clone made or checked: a cache. */
  readonly snapshotMemory: string
  readonly actorDir: (id: ActorId | string) => string
  /** What the log was last seen to hold of this clone's own card of an actor. */
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
    actorDir: (id) => join(actors, id),
    ownCard: (id) => join(actors, id, 'card'),
    viewLevels: (actor) => (actor === undefined ? join(home, 'view') : join(actors, actor, 'level')),
  }
}
