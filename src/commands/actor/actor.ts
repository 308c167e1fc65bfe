import { InvalidArgsError, labelOnCard, limits, NotFoundError, type PinnedActor } from '../../model/index.ts'
import { type Actor, createActor, findActor, listActors, requireActor } from '../../tracker/local/actors.ts'
import { writeDefaultActor } from '../../tracker/local/repo-config.ts'
import type { Workspace } from '../../tracker/workspace.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { headerOption } from '../header-option.ts'

export const actorInit = defineCommand({
  name: 'actor init',
  summary: 'Create another actor',
  description: 'Does not change the default actor; use `grite actor use` for that.',
  examples: [
    { command: 'grite actor init --label ci', explains: 'an actor for the build machine' },
    { command: 'grite actor init --label me --generate-key', explains: 'an actor that signs its events' },
  ],
  effect: 'adds',
  arguments: {},
  options: {
    label: { type: 'text', valueName: 'text', summary: 'Display name; default: the user name of git' },
    'generate-key': { type: 'boolean', summary: 'Generate an Ed25519 key and sign every event of this actor with it' },
  },
  async run(context, { label, generateKey }) {
    if (label !== undefined && labelOnCard(label) === null) {
      throw new InvalidArgsError(`--label must be text of 1 to ${limits.actorLabelBytesMax} bytes, got '${label}'`, {
        details: { field: 'label', value: label, bytes_max: limits.actorLabelBytesMax },
      })
    }
    const repository = await context.repository()
    const actor = await createActor(repository.paths, await repository.newActorFacts(label ?? null, generateKey))
    return {
      data: {
        actor_id: actor.id,
        label: actor.label,
        data_dir: actor.dataDir,
        ...(actor.publicKey === null ? {} : { public_key: actor.publicKey }),
      },
    }
  },
})

export type ActorInitInput = GivenInput<typeof actorInit>
export type ActorInitData = DataOf<typeof actorInit>

export const actorList = defineCommand({
  name: 'actor list',
  summary: 'List the actors of this clone',
  examples: [
    { command: 'grite actor list', explains: 'ids, labels, keys and directories' },
    { command: 'grite actor list --all', explains: 'including actors with a card in the log' },
  ],
  served: true,
  effect: 'reads',
  arguments: {},
  options: {
    all: { type: 'boolean', summary: 'Also list actors of other clones that have a card in the log' },
    ...headerOption,
  },
  async run(context, { all }) {
    const repository = await context.repository()
    const actors: ListedActor[] = (await listActors(repository.paths)).map(listLocal)
    if (all) {
      const known = new Set(actors.map(({ actor_id }) => actor_id))
      const published = await (await repository.view()).findActorsByPrefix('', publishedActorsMax)
      actors.push(...published.filter(({ actor }) => !known.has(actor)).map(listPublished))
      actors.sort((left, right) => (left.actor_id < right.actor_id ? -1 : 1))
    }
    return { data: { actors } }
  },
})

export type ActorListInput = GivenInput<typeof actorList>
export type ActorListData = DataOf<typeof actorList>

/** Anyone who can push can publish any number of cards. */
const publishedActorsMax = 10_000

interface ListedActor {
  readonly actor_id: string
  readonly label: string | null
  /** Null for an actor of another clone. */
  readonly data_dir: string | null
  readonly public_key: string | null
  readonly local: boolean
}

function listLocal({ id, label, dataDir, publicKey }: Actor): ListedActor {
  return { actor_id: id, label, data_dir: dataDir, public_key: publicKey, local: true }
}

function listPublished({ actor, label, keys }: PinnedActor): ListedActor {
  return { actor_id: actor, label, data_dir: null, public_key: keys.at(-1)?.publicKey ?? null, local: false }
}

const noActor = new NotFoundError('there is no actor yet', {
  hints: ['Run `grite init` to create one; the first write does so too'],
})

export const actorShow = defineCommand({
  name: 'actor show',
  summary: 'Show one actor',
  examples: [
    { command: 'grite actor show', explains: 'the current actor' },
    { command: 'grite actor show 3f2a91c4', explains: 'an actor of this clone, or one with a card in the log' },
  ],
  served: true,
  effect: 'reads',
  arguments: {
    actor: { summary: 'Actor id or a unique prefix; default: the current actor', optional: true, completes: 'actor' },
  },
  options: {},
  async run(context, input) {
    const repository = await context.repository()
    if (input.actor === undefined) {
      const current = (await repository.findActor())?.actor
      if (current === undefined) throw noActor
      return { data: { actor: describeLocal(current) } }
    }
    return { data: { actor: await describeActor(repository, input.actor) } }
  },
})

export type ActorShowInput = GivenInput<typeof actorShow>
export type ActorShowData = DataOf<typeof actorShow>

interface DescribedActor {
  readonly actor_id: string
  readonly label: string | null
  readonly created_ts: number | null
  readonly public_key?: string
  readonly key_scheme?: string
  /** For an actor of another clone: its previous keys, oldest first. */
  readonly previous_keys?: readonly string[]
  readonly local: boolean
}

function describeLocal({ id, label, createdTs, publicKey, keyScheme }: Actor): DescribedActor {
  return {
    actor_id: id,
    label,
    created_ts: createdTs,
    ...(publicKey === null ? {} : { public_key: publicKey }),
    ...(keyScheme === null ? {} : { key_scheme: keyScheme }),
    local: true,
  }
}

/** An actor of this clone, else one with a card in the log. */
async function describeActor(repository: Workspace, text: string): Promise<DescribedActor> {
  const notLocal = await requireActor(repository.paths, text).then(describeLocal, (error: unknown) => error as Error)
  if (!(notLocal instanceof Error)) return notLocal
  const isPrefix = /^[0-9a-f]{1,32}$/i.test(text)
  if (!(notLocal instanceof NotFoundError) || !isPrefix) throw notLocal
  const [only, second] = await (await repository.view()).findActorsByPrefix(text.toLowerCase(), 2)
  if (only === undefined || second !== undefined) throw notLocal
  const keys = only.keys.map(({ publicKey }) => publicKey)
  const current = keys.pop()
  return {
    actor_id: only.actor,
    label: only.label,
    created_ts: null,
    ...(current === undefined ? {} : { public_key: current, key_scheme: 'ed25519', previous_keys: keys }),
    local: false,
  }
}

export const actorCurrent = defineCommand({
  name: 'actor current',
  summary: 'Show the current actor and why it was chosen',
  examples: [{ command: 'grite actor current', explains: 'id, directory and the source of the choice' }],
  served: true,
  effect: 'reads',
  arguments: {},
  options: {},
  async run(context) {
    const repository = await context.repository()
    const chosen = await findActor(repository.paths, repository.actorChoice)
    if (chosen === undefined) throw noActor
    return {
      data: {
        actor_id: chosen.actor.id,
        label: chosen.actor.label,
        data_dir: chosen.actor.dataDir,
        source: chosen.source,
      },
    }
  },
})

export type ActorCurrentInput = GivenInput<typeof actorCurrent>
export type ActorCurrentData = DataOf<typeof actorCurrent>

export const actorUse = defineCommand({
  name: 'actor use',
  summary: 'Make an actor the default of this clone',
  examples: [{ command: 'grite actor use 3f2a91c4', explains: 'by a unique prefix' }],
  effect: 'sets',
  arguments: { actor: { summary: 'Actor id or a unique prefix', completes: 'actor' } },
  options: {},
  async run(context, input) {
    const { paths } = await context.repository()
    const actor = await requireActor(paths, input.actor)
    await writeDefaultActor(paths, actor.id)
    return { data: { default_actor: actor.id, repo_config: paths.config } }
  },
})

export type ActorUseInput = GivenInput<typeof actorUse>
export type ActorUseData = DataOf<typeof actorUse>
