import { NotFoundError } from '../../model/index.ts'
import { defineCommand } from '../define-command.ts'
import { createActor, findActor, listActors, requireActor } from '../local/actors.ts'
import { writeDefaultActor } from '../local/repo-config.ts'

export const actorInit = defineCommand({
  name: 'actor init',
  summary: 'Make a further actor',
  description: 'The default actor stays what it is; `grite actor use` changes it.',
  examples: [
    { command: 'grite actor init --label ci', explains: 'one for the build machine' },
    { command: 'grite actor init --label me --generate-key', explains: 'one that signs what it writes' },
  ],
  arguments: {},
  options: {
    label: { type: 'text', valueName: 'text', summary: 'Name shown to people; default the user name of git' },
    'generate-key': { type: 'boolean', summary: 'Make an Ed25519 key; every event of this actor is then signed' },
  },
  async run(context, { label, generateKey }) {
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

export const actorList = defineCommand({
  name: 'actor list',
  summary: 'List the actors of this clone',
  examples: [{ command: 'grite actor list', explains: 'ids, labels and directories' }],
  arguments: {},
  options: {},
  async run(context) {
    const actors = await listActors((await context.repository()).paths)
    return {
      data: { actors: actors.map(({ id, label, dataDir }) => ({ actor_id: id, label, data_dir: dataDir })) },
    }
  },
})

const noActor = new NotFoundError('there is no actor yet', {
  hints: ['Run `grite init` to make one; the first write does so too'],
})

export const actorShow = defineCommand({
  name: 'actor show',
  summary: 'Show one actor',
  examples: [{ command: 'grite actor show', explains: 'the current one' }],
  arguments: {
    actor: { summary: 'Actor id or a unique prefix; default the current one', optional: true, completes: 'actor' },
  },
  options: {},
  async run(context, input) {
    const repository = await context.repository()
    const actor =
      input.actor === undefined
        ? (await repository.findActor())?.actor
        : await requireActor(repository.paths, input.actor)
    if (actor === undefined) throw noActor
    return {
      data: {
        actor: {
          actor_id: actor.id,
          label: actor.label,
          created_ts: actor.createdTs,
          ...(actor.publicKey === null ? {} : { public_key: actor.publicKey }),
          ...(actor.keyScheme === null ? {} : { key_scheme: actor.keyScheme }),
        },
      },
    }
  },
})

export const actorCurrent = defineCommand({
  name: 'actor current',
  summary: 'Show who writes in this clone, and why',
  examples: [{ command: 'grite actor current', explains: 'id, directory and where the choice comes from' }],
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

export const actorUse = defineCommand({
  name: 'actor use',
  summary: 'Make an actor the default of this clone',
  examples: [{ command: 'grite actor use 3f2a91c4', explains: 'by a unique prefix' }],
  arguments: { actor: { summary: 'Actor id or a unique prefix', completes: 'actor' } },
  options: {},
  async run(context, input) {
    const { paths } = await context.repository()
    const actor = await requireActor(paths, input.actor)
    await writeDefaultActor(paths.config, actor.id)
    return { data: { default_actor: actor.id, repo_config: paths.config } }
  },
})
