import type { View } from '../../view/index.ts'
import type { CommandContext } from '../effects.ts'
import type { Workspace } from '../workspace.ts'
import { findLikelyRemote } from './remote-name.ts'

/**
 * Warns of an empty answer in a clone that has no log although it has a remote, which may have one. Asks nobody: a read
 * never uses the network.
 */
export async function warnIfNoLog(
  { warn }: Pick<CommandContext, 'warn'>,
  repository: Workspace,
  view: View,
): Promise<void> {
  // A log that cannot be read is reported by itself.
  if (view.head !== null || view.gaps.count > 0) return
  const remote = await findLikelyRemote(repository)
  if (remote === undefined) return
  const message = `this clone has no log yet, so it shows no issues; \`grite sync\` takes in the log of '${remote}' if it has one`
  warn({ code: 'no-log', message, details: { remote } })
}
