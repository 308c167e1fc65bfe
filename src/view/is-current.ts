import { type GitPort, reflogMark, shallowMark } from '../git/index.ts'
import type { IssueStream } from '../wal/index.ts'
import type { View } from './view.ts'

/** Whether a view shows the log as it is now, and a catch-up would change nothing. Only for a view of a whole log. */
export async function isCurrent({
  git,
  stream,
  view,
}: {
  readonly git: GitPort
  readonly stream: Pick<IssueStream, 'ref'>
  readonly view: View
}): Promise<boolean> {
  const mark = await reflogMark(git, stream.ref)
  // Without a mark, a ref that was moved back to this head would not show.
  if (mark === '' || mark !== view.reflogMark) return false
  if (shallowMark(git.layout) !== view.shallowMark || view.gaps.count > 0 || view.heldHeads.length > 0) return false
  return view.head !== null && (await git.readRef(stream.ref)) === view.head
}
