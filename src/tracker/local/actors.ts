/** Actors of this clone, stored as files below `.git/grite/actors/` (spec §4.2, §4.4). */
import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { isOwnPath } from '../../git/index.ts'
import {
  type ActorId,
  ConfigError,
  deriveActorId,
  describeForeign,
  formatHex,
  InvalidArgsError,
  NotFoundError,
  parseHex,
  shape,
  shortenText,
} from '../../model/index.ts'
import { generateKeyPair, requireUsableClock } from '../../wal/index.ts'
import { newActorNote, writeCardNote } from './card-note.ts'
import type { GritePaths } from './paths.ts'
import { type RepoConfig, readRepoConfig, writeDefaultActor } from './repo-config.ts'
import { writeFirstKey } from './signing-key.ts'
import { formatToml, readToml, requireTomlText } from './toml-file.ts'
import { makeFolder, writeFileAtomically } from './write-file-atomically.ts'

export interface Actor {
  readonly id: ActorId
  readonly label: string | null
  /** Milliseconds. */
  readonly createdTs: number | null
  /** 64 hex characters. */
  readonly publicKey: string | null
  readonly keyScheme: string | null
  /** Directory of its configuration. */
  readonly dataDir: string
}

/** How the current actor was chosen. */
export type ActorSource = 'env' | 'flag' | 'repo_default' | 'auto'

export interface ChosenActor {
  readonly actor: Actor
  readonly source: ActorSource
}

export interface ActorChoice {
  /** `--data-dir`, else GRITE_HOME: the directory with the config.toml of the actor. */
  readonly dataDir: string | undefined
  /** `--actor`: id or unique prefix. */
  readonly actor: string | undefined
}

/**
 * Finds the current actor (spec §4.5): by data directory, flag, default of the repository, or the first existing actor.
 * Creates nothing. An actor belongs to the user who owns its folder: in a shared repository, no user writes as the actor
 * of another without selecting it explicitly.
 *
 * @param readConfig - the settings of the clone, for a caller that has read them
 * @throws {NotFoundError} when the selected actor does not exist
 * @throws {ConfigError} when the deciding configuration cannot be read
 */
export async function findActor(
  paths: GritePaths,
  choice: ActorChoice,
  readConfig: () => Promise<RepoConfig> = () => readRepoConfig(paths.config),
): Promise<ChosenActor | undefined> {
  if (choice.dataDir !== undefined) {
    const actor = await readActor(choice.dataDir)
    if (actor === undefined) {
      throw new NotFoundError(`no actor in ${choice.dataDir}: config.toml is missing`, {
        details: { path: choice.dataDir },
      })
    }
    return { actor, source: 'env' }
  }
  if (choice.actor !== undefined) return { actor: await requireActor(paths, choice.actor), source: 'flag' }
  const { defaultActor } = await readConfig()
  if (defaultActor !== undefined && isOwnPath(paths.actorDir(defaultActor))) {
    const actor = await readActor(paths.actorDir(defaultActor))
    if (actor !== undefined) return { actor, source: 'repo_default' }
  }
  const first = (await listActors(paths)).find(({ dataDir }) => isOwnPath(dataDir))
  return first === undefined ? undefined : { actor: first, source: 'auto' }
}

/** Maximum number of candidates listed for an ambiguous prefix. */
const candidatesMax = 10

/**
 * Finds an actor by id, unique prefix, or folder name. A full id wins over a folder of that name.
 * @throws {NotFoundError} when none matches
 * @throws {InvalidArgsError} when several match, with the candidates
 */
export async function requireActor(paths: GritePaths, text: string): Promise<Actor> {
  const wanted = text.trim().toLowerCase()
  const actors = wanted === '' ? [] : await listActors(paths)
  const found = actors.filter(({ id, dataDir }) => id.startsWith(wanted) || basename(dataDir) === wanted)
  const only = found.find(({ id }) => id === wanted) ?? found[0]
  const hints = ['Run `grite actor list` to see the actors of this repository']
  if (only === undefined) {
    throw new NotFoundError(`no actor '${text}'`, { details: { field: 'actor', value: text }, hints })
  }
  if (found.length === 1 || only.id === wanted) return only
  const candidates = found.slice(0, candidatesMax).map(({ id }) => id)
  const more = found.length > candidates.length ? ' and more' : ''
  throw new InvalidArgsError(`actor '${text}' is ambiguous; it could be:\n  ${candidates.join('\n  ')}${more}`, {
    details: { field: 'actor', value: text, candidates },
    hints,
  })
}

/** All actors with a readable configuration, ordered by id. */
export async function listActors(paths: GritePaths): Promise<Actor[]> {
  const names = namesIn(paths.actors)
  const actors = await Promise.all(names.map((name) => readActor(paths.actorDir(name)).catch(() => undefined)))
  return actors.filter((actor) => actor !== undefined).sort((left, right) => (left.id < right.id ? -1 : 1))
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

const createdTsShape = shape.lenient(shape.integer(), null)

async function readActor(directory: string): Promise<Actor | undefined> {
  const file = join(directory, 'config.toml')
  const table = await readToml(file)
  if (table === undefined) return undefined
  const id = requireTomlText(file, table, 'actor_id')
  if (id === undefined || parseHex(id)?.length !== 16) {
    throw new ConfigError(`${file}: actor_id must be 32 hexadecimal characters, got ${describeForeign(id ?? null)}`, {
      details: { file, field: 'actor_id', value: id === undefined ? null : shortenText(id, 200) },
    })
  }
  return {
    id: id.toLowerCase() as ActorId,
    label: requireTomlText(file, table, 'label') ?? null,
    createdTs: createdTsShape(table.created_ts),
    publicKey: requireTomlText(file, table, 'public_key') ?? null,
    keyScheme: requireTomlText(file, table, 'key_scheme') ?? null,
    dataDir: directory,
  }
}

export interface NewActor {
  readonly label: string | null
  readonly generateKey: boolean
  readonly randomBytes: (count: number) => Uint8Array
  readonly nowUnixMs: number
}

/**
 * Creates an actor. A requested key is stored beside its configuration with mode 0600. The id is derived from that key, so
 * that nobody can claim an earlier key.
 */
export async function createActor(paths: GritePaths, options: NewActor): Promise<Actor> {
  requireUsableClock(options.nowUnixMs)
  const key = options.generateKey ? generateKeyPair(options.randomBytes(32)) : undefined
  const id = key === undefined ? (formatHex(options.randomBytes(16)) as ActorId) : deriveActorId(key.publicKeyHex)
  const dataDir = paths.actorDir(id)
  await makeFolder(dataDir, paths.permissions)
  if (key !== undefined) await writeFirstKey(dataDir, key.seedHex)
  const table = {
    actor_id: id,
    ...(options.label === null ? {} : { label: options.label }),
    created_ts: options.nowUnixMs,
    ...(key === undefined ? {} : { public_key: key.publicKeyHex, key_scheme: 'ed25519' }),
  }
  await writeCardNote(paths, id, newActorNote)
  await writeFileAtomically(join(dataDir, 'config.toml'), formatToml(table), { permissions: paths.permissions })
  return {
    id,
    label: options.label,
    createdTs: options.nowUnixMs,
    publicKey: key?.publicKeyHex ?? null,
    keyScheme: key === undefined ? null : 'ed25519',
    dataDir,
  }
}

/** Creates an actor and makes it the default of the repository, unless another process was faster: then uses that one. */
export async function createDefaultActor(paths: GritePaths, options: NewActor): Promise<ChosenActor> {
  const created = await createActor(paths, options)
  const chosen = await findActor(paths, { dataDir: undefined, actor: undefined })
  if (chosen?.source === 'repo_default') return chosen
  await writeDefaultActor(paths, created.id)
  return { actor: created, source: 'auto' }
}
