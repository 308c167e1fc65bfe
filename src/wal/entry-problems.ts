import type { CommitEntry, CommitFile, Oid } from '../git/index.ts'
import { limits, shortenText } from '../model/index.ts'
import type { LogGap } from './log-gap.ts'
import type { StreamProblem } from './segment-codec.ts'

/** Problems and gaps of a commit, whatever it holds. */
export function problemsOfEntry({ oid: commit, problem, gaps }: CommitEntry): StreamProblem[] {
  const whole: StreamProblem[] = []
  if (problem !== null && gaps.length === 0) {
    const reason = shortenText(problem, limits.problemLengthMax)
    whole.push({ commit, objectId: commit, severity: 'damaged', reason })
  }
  const lacking = gaps.map(({ reason, kind, oid }): StreamProblem => {
    const what = reason === 'shallow' ? `${kind} ${oid} was left out by a shallow fetch` : `${kind} ${oid} is ${reason}`
    const gap: LogGap = { reason, kind, objectId: oid, commit }
    const unread = reason === 'shallow' ? {} : { unread: reason }
    return { commit, objectId: oid, severity: 'damaged', reason: what, ...unread, gap }
  })
  return [...whole, ...lacking]
}

/** Mode of a tree row for a commit of another repository. */
export const submoduleMode = '160000'

/** The gap for a file without content; undefined when no clone can have the content: none has a submodule's. */
export function gapOfFile(commit: Oid, { mode, oid, problem }: CommitFile, kind: 'chunk' | 'file'): LogGap | undefined {
  if (mode === submoduleMode || problem === null || problem === 'too-large') return undefined
  return { reason: problem, kind, objectId: oid, commit }
}

/** Why a file that holds items has no content, for its problem report. */
export function whyUnread(commit: Oid, file: CommitFile): Pick<StreamProblem, 'unread' | 'gap'> {
  if (file.mode === submoduleMode || file.problem === null) return {}
  const gap = gapOfFile(commit, file, 'chunk')
  return gap === undefined ? { unread: file.problem } : { unread: file.problem, gap }
}
