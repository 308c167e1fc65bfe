/** Settings of this clone, and those that travel in the log. */
import { InvalidArgsError, makeVisible, nearWords, type SavedQuery } from '../../model/index.ts'
import { readSavedQueries, removeQuery, requireSavedQuery, saveQuery } from '../../tracker/issues/saved-queries.ts'
import { requireActor } from '../../tracker/local/actors.ts'
import { readSetKeys, writeDefaultActor, writeSetting } from '../../tracker/local/repo-config.ts'
import { type Setting, settings } from '../../tracker/local/settings.ts'
import type { TomlValue } from '../../tracker/local/toml-file.ts'
import { requireRemote } from '../../tracker/sync/remote-name.ts'
import type { Workspace } from '../../tracker/workspace.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { headerOption } from '../header-option.ts'

interface ShownSetting {
  readonly key: string
  /** Null when there is none. */
  readonly value: TomlValue | null
  /** `default`: nothing sets it. `clone`: config.toml does. `log`: every clone has it. */
  readonly origin: 'default' | 'clone' | 'log'
}

interface ChangedSetting {
  readonly action: 'set' | 'unset'
  readonly key: string
  /** What counts now; null when there is none. */
  readonly value: TomlValue | null
  /** What was set before; null when nothing was. */
  readonly replaced: TomlValue | null
  readonly outcome: 'changed' | 'unchanged'
  /** Of a setting that travels in the log; null otherwise, and when nothing was written. */
  readonly wal_head: string | null
}

/** Of settings that travel in the log: what follows is the name of a saved query. */
const queryPrefix = 'query.'

const keyArgument = { summary: 'Name of a setting; `grite config list` shows all', completes: 'setting' } as const

export const configList = defineCommand({
  name: 'config list',
  summary: 'List all settings and where they come from',
  description:
    'Settings of this clone are in `.git/grite/config.toml`. Those called `query.<name>` are the saved queries, which ' +
    'travel in the log to every clone.',
  examples: [{ command: 'grite config list', explains: 'every setting, with its value' }],
  served: true,
  effect: 'reads',
  arguments: {},
  options: headerOption,
  async run(context) {
    const repository = await context.repository()
    const config = await repository.config()
    const { isSet } = await readSetKeys(repository.paths.config)
    const own = settings.map(({ key, read }) => {
      const origin = isSet(key) ? ('clone' as const) : ('default' as const)
      return { key, value: read(config), origin }
    })
    const { queries } = await readSavedQueries(await repository.view())
    const shared = queries.map(({ name, query }) => ({
      key: `${queryPrefix}${name}`,
      value: query,
      origin: 'log' as const,
    }))
    const all: readonly ShownSetting[] = [...own, ...shared]
    return { data: { settings: all, path: repository.paths.config } }
  },
})

export type ConfigListInput = GivenInput<typeof configList>
export type ConfigListData = DataOf<typeof configList>

export const configGet = defineCommand({
  name: 'config get',
  summary: 'Print one setting',
  examples: [{ command: 'grite config get lock_policy', explains: 'its value alone, set or not' }],
  served: true,
  effect: 'reads',
  arguments: { key: keyArgument },
  options: {},
  async run(context, { key }): Promise<{ readonly data: ShownSetting }> {
    const repository = await context.repository()
    if (key.startsWith(queryPrefix)) {
      const { query } = await requireQuery(repository, key)
      return { data: { key, value: query, origin: 'log' } }
    }
    const setting = requireSetting(key)
    const { isSet } = await readSetKeys(repository.paths.config)
    const value = setting.read(await repository.config())
    return { data: { key, value, origin: isSet(key) ? 'clone' : 'default' } }
  },
})

export type ConfigGetInput = GivenInput<typeof configGet>
export type ConfigGetData = DataOf<typeof configGet>

export const configSet = defineCommand({
  name: 'config set',
  summary: 'Set a setting',
  description: 'Only the line of that setting in `.git/grite/config.toml` changes; comments and unknown keys stay.',
  examples: [
    { command: 'grite config set lock_policy require', explains: 'refuse writes on what others have locked' },
    { command: 'grite config set lease.remote origin', explains: 'claim among all clones, without --remote' },
    { command: "grite config set query.urgent 'is:open priority:<=P1'", explains: 'a saved query, for every clone' },
  ],
  effect: 'sets',
  arguments: { key: keyArgument, value: { summary: 'New value' } },
  options: {},
  async run(context, { key, value }): Promise<{ readonly data: ChangedSetting }> {
    const repository = await context.repository()
    if (key.startsWith(queryPrefix)) {
      const [name, query] = [key.slice(queryPrefix.length), value.trim()]
      const { head, result } = await repository.write((draft) => saveQuery(draft, name, query))
      const { eventId, replaced } = result
      return {
        data: { action: 'set', key, value: query, replaced, outcome: outcomeOf(eventId !== null), wal_head: head },
      }
    }
    const setting = requireSetting(key)
    const parsed = setting.parse(value)
    if (parsed === undefined) {
      throw new InvalidArgsError(`${key} must be ${setting.allowed}, got '${makeVisible(value)}'`, {
        details: { field: key, value, allowed: setting.allowed },
      })
    }
    return { data: { action: 'set', ...(await changeSetting(repository, setting, parsed)) } }
  },
})

export type ConfigSetInput = GivenInput<typeof configSet>
export type ConfigSetData = DataOf<typeof configSet>

export const configUnset = defineCommand({
  name: 'config unset',
  summary: 'Go back to the default of a setting',
  examples: [{ command: 'grite config unset lock_policy', explains: 'the default counts again' }],
  effect: 'sets',
  arguments: { key: keyArgument },
  options: {},
  async run(context, { key }): Promise<{ readonly data: ChangedSetting }> {
    const repository = await context.repository()
    if (key.startsWith(queryPrefix)) {
      const name = key.slice(queryPrefix.length)
      const { head, result } = await repository.write((draft) => removeQuery(draft, name))
      const { replaced } = result
      return { data: { action: 'unset', key, value: null, replaced, outcome: 'changed', wal_head: head } }
    }
    return { data: { action: 'unset', ...(await changeSetting(repository, requireSetting(key), null)) } }
  },
})

export type ConfigUnsetInput = GivenInput<typeof configUnset>
export type ConfigUnsetData = DataOf<typeof configUnset>

async function changeSetting(
  repository: Workspace,
  setting: Setting,
  value: TomlValue | null,
): Promise<Omit<ChangedSetting, 'action'>> {
  const { key, read } = setting
  const { paths } = repository
  const { isSet, defaults } = await readSetKeys(paths.config)
  const replaced = isSet(key) ? read(await repository.config()) : null
  let next = value
  if (key === 'default_actor' && value !== null) {
    const actor = await requireActor(paths, `${value}`)
    next = actor.id
    await writeDefaultActor(paths, actor.id)
  } else {
    if (key.endsWith('.remote') && value !== null) await requireRemote(repository, key, `${value}`)
    if (value !== null || isSet(key)) await writeSetting(paths, key, value)
  }
  return { key, value: next ?? read(defaults), replaced, outcome: outcomeOf(replaced !== next), wal_head: null }
}

const outcomeOf = (isChanged: boolean) => (isChanged ? 'changed' : 'unchanged')

async function requireQuery(repository: Workspace, key: string): Promise<SavedQuery> {
  return requireSavedQuery(await repository.view(), key.slice(queryPrefix.length))
}

/** @throws {InvalidArgsError} naming the keys that there are */
function requireSetting(key: string): Setting {
  const setting = settings.find((each) => each.key === key)
  if (setting !== undefined) return setting
  const keys = settings.map((each) => each.key)
  throw new InvalidArgsError(`there is no setting '${makeVisible(key)}'`, {
    details: { field: 'key', value: key, allowed: [...keys, `${queryPrefix}<name>`] },
    hints: [
      ...nearWords(key, keys).map((each) => `Did you mean \`${each}\`?`),
      '`grite config list` shows every setting',
    ],
  })
}
