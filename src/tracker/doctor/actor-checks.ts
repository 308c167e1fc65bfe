import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { listActors } from '../local/actors.ts'
import { type Check, count, type Finding, nameSome, notChecked, ok } from './check.ts'

export const actorConfig: Check = {
  id: 'actor_config',
  async look(examination) {
    const { repository } = examination
    const { paths } = repository
    const config = await examination.config()
    if (config === null) return notChecked('the settings cannot be read')
    const folders = await readdir(paths.actors).catch(() => [])
    const readable = new Set((await listActors(paths)).map(({ dataDir }) => dataDir))
    const broken = folders.filter(
      (name) => !readable.has(paths.actorDir(name)) && existsSync(configOf(paths.actorDir(name))),
    )
    if (broken.length > 0) return unreadable(broken)
    const chosen = await repository.findActor()
    if (config.defaultActor !== undefined && !existsSync(configOf(paths.actorDir(config.defaultActor)))) {
      return {
        status: 'warn',
        message: `the default actor ${config.defaultActor} does not exist in this clone`,
        plan: ['choose another one with `grite actor use`'],
      }
    }
    return ok(
      chosen === undefined ? 'no actor yet; the first write creates one' : `actor ${chosen.actor.id.slice(0, 8)}`,
    )
  },
}

const configOf = (folder: string): string => join(folder, 'config.toml')

function unreadable(names: readonly string[]): Finding {
  return {
    status: 'warn',
    message: `${count(names.length, 'actor has', 'actors have')} an unreadable configuration: ${nameSome(names)}`,
    plan: ['fix the files by hand; grite never overwrites them'],
    details: { actors: names },
  }
}

/** Per-actor databases of old versions of the Rust tool. Only that tool can migrate them; we never change them. */
export const legacyActorSleds: Check = {
  id: 'legacy_actor_sleds',
  async look({ repository }) {
    const { paths } = repository
    const names = await readdir(paths.actors).catch(() => [])
    const found = names.filter((name) => existsSync(join(paths.actorDir(name), 'sled')))
    if (found.length === 0) return ok('none')
    return {
      status: 'warn',
      message: `old databases of the Rust tool exist for ${count(found.length, 'actor')}: ${nameSome(found)}`,
      plan: ['migrate them with that tool; data that exists only there is not in the log'],
      details: { actors: found },
    }
  },
}
