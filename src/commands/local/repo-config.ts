import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type ActorId, ConfigError } from '../../model/index.ts'
import { readToml, requireTomlText, setTopLevelKey } from './toml-file.ts'
import { makeFolder, writeFileAtomically } from './write-file-atomically.ts'

/** `.git/grite/config.toml`: local trust and settings. Unknown keys are left alone. */
export interface RepoConfig {
  readonly defaultActor: ActorId | undefined
}

/** @throws {ConfigError} on invalid TOML or a value of the wrong kind; the file is never touched */
export async function readRepoConfig(path: string): Promise<RepoConfig> {
  const table = (await readToml(path)) ?? {}
  const actor = requireTomlText(path, table, 'default_actor')
  if (actor !== undefined && !/^[0-9a-fA-F]{32}$/.test(actor)) {
    throw new ConfigError(`${path}: default_actor must be 32 hexadecimal characters, got '${actor}'`, {
      details: { file: path, field: 'default_actor', value: actor },
    })
  }
  return { defaultActor: actor?.toLowerCase() as ActorId | undefined }
}

/** Sets the default actor and keeps everything else in the file, comments included. */
export async function writeDefaultActor(path: string, actor: ActorId): Promise<void> {
  await readRepoConfig(path)
  await makeFolder(dirname(path))
  const text = await readFile(path, 'utf8').catch(() => '')
  await writeFileAtomically(path, setTopLevelKey(text, 'default_actor', actor))
}
