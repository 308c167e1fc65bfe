import type { View } from '../../view/index.ts'
import type { CommandContext } from '../effects.ts'
import type { Workspace } from '../workspace.ts'
import { findLikelyRemote } from './remote-name.ts'

/**
 * Warns that a result is empty because this clone has no log, if it has a remote that may have one. Does not contact the
 * remote: a read never uses the network.
 */
export async function warnIfNoLog(
  { warn }: Pick<CommandContext, 'warn'>,
  repository: Workspace,
  view: View,
): Promise<void> {
  // An unreadable log is reported elsewhere.
  if (view.head !== null || view.gaps.count > 0) return
  const remote = await findLikelyRemote(repository)
  if (remote === undefined) return
  const message = `this clone has no log yet, so it shows no issues; run \`grite sync\` to fetch the log of '${remote}' if it has one`
  warn({ code: 'no-log', message, details: { remote } })
}
