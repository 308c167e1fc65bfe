import { makeVisible } from '../../model/index.ts'
import type { CommandContext } from '../../tracker/effects.ts'
import { type Collected, collectLocal, collectRemote } from '../../tracker/locks/collect.ts'
import type { ChosenRemote } from '../../tracker/sync/remote-name.ts'
import { runSync } from '../../tracker/sync/run-sync.ts'
import type { Workspace } from '../../tracker/workspace.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'
import { chooseWhere, placeOptions } from './lock-input.ts'

/** Refs with a warning each; the rest are counted in one warning. */
const refusalsToldMax = 5

export const lockGc = defineCommand({
  name: 'lock gc',
  summary: 'Delete expired locks',
  description: [
    'Deletes expired and released locks of this clone. The lock of an expired claim is kept while the issue is open and has the',
    'assignee of the claim, because it marks the issue as free. With `--remote`, deletes instead leases on the remote that',
    'ended more than a day ago, and ended locks left there by clones of the Rust tool, which can block the pushes of those',
    'clones. Live and unreadable locks are kept. `grite sync` does the same once at least a hundred can be deleted.',
  ].join(' '),
  examples: [
    { command: 'grite lock gc', explains: 'clean up this clone' },
    { command: 'grite lock gc --remote origin', explains: 'clean up the remote' },
  ],
  effect: 'destroys',
  arguments: {},
  options: { remote: placeOptions.remote },
  async run(context, input) {
    const repository = await context.repository()
    const nowUnixMs = context.clock.nowUnixMs()
    const remote = await chooseWhere(repository, { remote: input.remote, local: input.remote === undefined })
    const data =
      remote === null ? await collectLocal(repository, nowUnixMs) : await collectThere(context, repository, remote)
    for (const { ref, reason } of data.refused.slice(0, refusalsToldMax)) {
      const message = `'${data.remote}' refused to delete ${ref}: ${makeVisible(reason)}`
      context.warn({ code: 'lock-kept', message, details: { ref } })
    }
    if (data.refused.length > refusalsToldMax) {
      const message = `'${data.remote}' refused to delete ${data.refused.length - refusalsToldMax} more; --json lists them`
      context.warn({ code: 'lock-kept', message })
    }
    return { data: { ...data, expired_pruned: data.removed }, exitStatus: data.refused.length > 0 ? 1 : 0 }
  },
})

export type LockGcInput = GivenInput<typeof lockGc>
export type LockGcData = DataOf<typeof lockGc>

/** Pulls first: only the log says whether a lease is still needed. */
async function collectThere(context: CommandContext, repository: Workspace, remote: ChosenRemote): Promise<Collected> {
  await runSync(context, repository, remote, { pull: true, push: false })
  return collectRemote(repository, remote.name, context)
}
