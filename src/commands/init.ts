import { RemoteError } from '../model/index.ts'
import { type AgentsMdChange, planAgentsMd } from '../tracker/agents/agents-md.ts'
import type { CommandContext } from '../tracker/effects.ts'
import { createDefaultActor } from '../tracker/local/actors.ts'
import { readRepoConfig, writeSetting } from '../tracker/local/repo-config.ts'
import { makeFolder } from '../tracker/local/write-file-atomically.ts'
import { chooseHomeRemote, requireRemote } from '../tracker/sync/remote-name.ts'
import { runSync } from '../tracker/sync/run-sync.ts'
import type { Workspace } from '../tracker/workspace.ts'
import { trackingRef, walRef } from '../wal/index.ts'
import { type DataOf, defineCommand, type GivenInput } from './define-command.ts'

export const init = defineCommand({
  name: 'init',
  summary: 'Create an actor for this clone and fetch the log of the remote',
  description:
    'Optional: the first write creates an actor, and the first sync fetches the log. Nothing is written outside the git ' +
    'directory, and no hooks are installed. Only --agents-md writes to the work tree: a section of AGENTS.md between two ' +
    'markers, with the commands that a coding agent needs. Run it again to update that section; the rest of the file is ' +
    'not changed.',
  examples: [
    { command: 'grite init', explains: 'once per clone' },
    { command: 'grite init --no-fetch', explains: 'without contacting the remote' },
    { command: 'grite init --agents-md', explains: 'with instructions for coding agents' },
    { command: 'grite init --lease-remote origin', explains: 'make claims visible to all clones by default' },
  ],
  effect: 'sets',
  arguments: {},
  options: {
    'no-fetch': { type: 'boolean', summary: 'Do not fetch the log of the remote' },
    'lease-remote': {
      type: 'text',
      valueName: 'name',
      summary: 'Default remote for locks and claims, so that all clones see them',
      completes: 'remote',
    },
    'agents-md': { type: 'boolean', summary: 'Add or update the section about grite in AGENTS.md' },
  },
  async run(context, input) {
    const repository = await context.repository()
    await readRepoConfig(repository.paths.config)
    // Validate everything before writing anything.
    if (input.leaseRemote !== undefined) await requireRemote(repository, 'lease-remote', input.leaseRemote)
    const agentsMd = input.agentsMd ? await planAgentsMd(repository.layout) : undefined
    const { actor, action } = await repository.exclusively(async () => {
      const { defaultActor } = await readRepoConfig(repository.paths.config)
      if (input.leaseRemote !== undefined) await writeSetting(repository.paths, 'lease.remote', input.leaseRemote)
      const known = await repository.findActor()
      if (known?.source === 'repo_default' && defaultActor !== undefined)
        return { actor: known.actor, action: 'existing' }
      await makeFolder(repository.paths.actors, repository.paths.permissions)
      const created = await createDefaultActor(repository.paths, await repository.newActorFacts(null, false))
      await repository.forgetActor()
      return { actor: created.actor, action: 'created' }
    })
    await agentsMd?.write()
    const adopted = input.noFetch ? null : await adopt(context, repository)
    return {
      data: {
        actor_id: actor.id,
        data_dir: actor.dataDir,
        repo_config: repository.paths.config,
        action,
        adopted,
        ...(input.leaseRemote === undefined ? {} : { lease_remote: input.leaseRemote }),
        ...describeAgentsMd(agentsMd),
      },
    }
  },
})

export type InitInput = GivenInput<typeof init>
export type InitData = DataOf<typeof init>

function describeAgentsMd(change: AgentsMdChange | undefined) {
  if (change === undefined) return { agents_md_action: 'disabled' } as const
  return { agents_md_path: change.path, agents_md_action: change.action }
}

interface Adopted {
  readonly remote: string
  readonly events: number
}

/**
 * Fetches the log of a remote that this clone has never fetched, so that a new clone sees the issues of the others and
 * appends on top of them. Null when there is no such remote. A clone without network still works.
 */
async function adopt(context: CommandContext, repository: Workspace): Promise<Adopted | null> {
  const remote = await chooseHomeRemote(repository)
  if (remote === undefined) return null
  const isKnown = (await repository.git.readRef(trackingRef(remote.name, walRef))) !== null
  if (isKnown && (await repository.view()).gaps.count === 0) return null
  try {
    const { pulledEvents } = await runSync(context, repository, remote, { pull: true, push: false })
    return { remote: remote.name, events: pulledEvents }
  } catch (error) {
    if (!(error instanceof RemoteError)) throw error
    if (error.details.reason === 'silent') throw withoutLog(error)
    const message = `could not fetch the log of '${remote.name}' (${error.message}); run \`grite sync\` later`
    context.warn({ code: 'not-adopted', message, details: error.details })
    return null
  }
}

/** A missing network is a warning, but a remote that does not answer is an error: a script has already waited for it. */
function withoutLog(error: RemoteError): RemoteError {
  const { message, details, hints } = error
  return new RemoteError(`${message}; the clone is set up, but without the log of the remote`, {
    details,
    hints: ['Run `grite sync` later to fetch the log', ...hints],
    cause: error,
  })
}
