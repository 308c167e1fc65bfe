import { showRemote } from '../git/index.ts'
import { NotFoundError, RemoteError } from '../model/index.ts'
import { type AgentsMdChange, planAgentsMd } from '../tracker/agents/agents-md.ts'
import type { CommandContext } from '../tracker/effects.ts'
import { createDefaultActor } from '../tracker/local/actors.ts'
import { readRepoConfig, writeLeaseRemote } from '../tracker/local/repo-config.ts'
import { makeFolder } from '../tracker/local/write-file-atomically.ts'
import { chooseHomeRemote } from '../tracker/sync/remote-name.ts'
import { runSync } from '../tracker/sync/run-sync.ts'
import type { Workspace } from '../tracker/workspace.ts'
import { trackingRef, walRef } from '../wal/index.ts'
import { type DataOf, defineCommand, type GivenInput } from './define-command.ts'

export const init = defineCommand({
  name: 'init',
  summary: 'Make an actor for this clone, and take in the log of the remote',
  description:
    'Optional: the first write makes an actor too, and the first sync takes in the log. Nothing is written outside the ' +
    'git directory, and no hooks are installed. Only --agents-md writes into the work tree: a section of AGENTS.md between ' +
    'two markers, with the commands that a coding agent needs. Asked again, it brings that section up to date; the rest of ' +
    'the file is left as it is.',
  examples: [
    { command: 'grite init', explains: 'once per clone' },
    { command: 'grite init --no-fetch', explains: 'without asking the remote' },
    { command: 'grite init --agents-md', explains: 'and tell coding agents how to use it' },
    { command: 'grite init --lease-remote origin', explains: 'claim among all clones, without --remote' },
  ],
  arguments: {},
  options: {
    'no-fetch': { type: 'boolean', summary: 'Do not ask the remote for its log' },
    'lease-remote': {
      type: 'text',
      valueName: 'name',
      summary: 'Take locks and claims on this remote from now on, so that all clones see them',
      completes: 'remote',
    },
    'agents-md': { type: 'boolean', summary: 'Write the section about grite into AGENTS.md, or bring it up to date' },
  },
  async run(context, input) {
    const repository = await context.repository()
    await readRepoConfig(repository.paths.config)
    // What cannot be done is said before anything is.
    if (input.leaseRemote !== undefined) await requireRemote(repository, input.leaseRemote)
    const agentsMd = input.agentsMd ? await planAgentsMd(repository.layout) : undefined
    const { actor, action } = await repository.exclusively(async () => {
      const { defaultActor } = await readRepoConfig(repository.paths.config)
      if (input.leaseRemote !== undefined) await writeLeaseRemote(repository.paths, input.leaseRemote)
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

/** @throws {NotFoundError} naming the remotes that there are */
async function requireRemote({ remotes }: Workspace, name: string): Promise<void> {
  if (await remotes.hasRemote(name)) return
  const names = await remotes.listRemotes()
  const others = names.length === 0 ? 'this repository has none' : `there are ${names.join(', ')}`
  throw new NotFoundError(`there is no remote '${showRemote(name)}'; ${others}`, {
    details: { field: 'lease-remote', value: showRemote(name), allowed: names },
    hints: names.length === 0 ? ['Add one with `git remote add origin <address>`'] : [],
  })
}

function describeAgentsMd(change: AgentsMdChange | undefined) {
  if (change === undefined) return { agents_md_action: 'disabled' } as const
  return { agents_md_path: change.path, agents_md_action: change.action }
}

interface Adopted {
  readonly remote: string
  readonly events: number
}

/**
 * Takes in the log of a remote that was never asked before, so that a new clone sees what the others see, and what it
 * writes goes on top. Null when there is nothing to ask; without a network the clone works all the same.
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
    const message = `the log of '${remote.name}' could not be taken in (${error.message}); \`grite sync\` does it later`
    context.warn({ code: 'not-adopted', message, details: error.details })
    return null
  }
}

/** A remote that does not answer is an error, other than a clone without a network: a script has waited for it. */
function withoutLog(error: RemoteError): RemoteError {
  const { message, details, hints } = error
  return new RemoteError(`${message}; this clone is set up, but without the log of the remote`, {
    details,
    hints: ['`grite sync` fetches the log later', ...hints],
    cause: error,
  })
}
