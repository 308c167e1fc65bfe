import { defineCommand } from './define-command.ts'
import { createDefaultActor } from './local/actors.ts'
import { readRepoConfig } from './local/repo-config.ts'
import { makeFolder } from './local/write-file-atomically.ts'

export const init = defineCommand({
  name: 'init',
  summary: 'Make an actor for this clone',
  description:
    'Optional: the first write does the same. Nothing is written outside the git directory, and no hooks are installed.',
  examples: [{ command: 'grite init', explains: 'once per clone' }],
  arguments: {},
  options: {
    'no-agents-md': { type: 'boolean', summary: 'Leave AGENTS.md alone, as is done anyway' },
  },
  async run(context) {
    const repository = await context.repository()
    await readRepoConfig(repository.paths.config)
    const { actor, action } = await repository.exclusively(async () => {
      const { defaultActor } = await readRepoConfig(repository.paths.config)
      const known = await repository.findActor()
      if (known?.source === 'repo_default' && defaultActor !== undefined)
        return { actor: known.actor, action: 'existing' }
      await makeFolder(repository.paths.actors)
      const created = await createDefaultActor(repository.paths, await repository.newActorFacts(null, false))
      await repository.forgetActor()
      return { actor: created.actor, action: 'created' }
    })
    return {
      data: {
        actor_id: actor.id,
        data_dir: actor.dataDir,
        repo_config: repository.paths.config,
        action,
        agents_md_action: 'disabled',
      },
    }
  },
})
