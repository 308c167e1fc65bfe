/** Finds memories, and issues that serve as memories. */
import {
  type ActorId,
  compareMemories,
  currentBody,
  currentTitle,
  holdsWords,
  type IssueId,
  isAboutPath,
} from '../../model/index.ts'
import type { View } from '../../view/index.ts'
import { isMemoryIssue } from '../issues/ready-queue.ts'
import { isIssueAbout } from './about.ts'
import { readMemories } from './memories.ts'

/** A memory; or an open issue that serves as one, which has no key. */
export interface Recalled {
  readonly key: string | null
  /** The issue that is the memory. */
  readonly issueId: IssueId | null
  readonly about: string | null
  readonly text: string
  readonly actor: ActorId | null
  readonly tsUnixMs: number
}

export interface RecallQuery {
  /** All must be in the key, the text, or what the memory is about. */
  readonly words: readonly string[]
  /** A path or the id of an issue, as stored; undefined for any. */
  readonly about: string | undefined
}

/** Newest first; `isCut` when the log has more memories than are read. */
export async function recallMemories(
  view: View,
  { words, about }: RecallQuery,
): Promise<{ readonly found: readonly Recalled[]; readonly isCut: boolean }> {
  const { memories, isCut } = await readMemories(view)
  const kept = memories.map((memory): Recalled & { readonly key: string } => ({ ...memory, issueId: null }))
  // No issue says what it is about.
  const issues = about === undefined ? await readMemoryIssues(view) : []
  const isAsked = (memory: Recalled) =>
    (about === undefined || (memory.about !== null && isAbout(memory.about, about))) &&
    holdsWords([memory.key ?? memory.issueId ?? '', memory.about ?? '', memory.text], words)
  return { found: [...kept, ...issues].filter(isAsked).sort(compareRecalled), isCut }
}

const compareRecalled = (left: Recalled, right: Recalled): number =>
  compareMemories({ ...left, key: left.key ?? '' }, { ...right, key: right.key ?? '' })

/** @param asked - a path or the id of an issue */
function isAbout(about: string, asked: string): boolean {
  return isIssueAbout(asked) || isIssueAbout(about) ? about === asked : isAboutPath(about, asked)
}

/** The text of such an issue is its title, without the mark, and its body. */
async function readMemoryIssues(view: View): Promise<Recalled[]> {
  const rows = (await view.listIssues({ state: 'open' })).filter(isMemoryIssue)
  const states = await view.findStates(rows.map(({ issue_id }) => issue_id))
  return [...states].map(([issueId, state]) => {
    const title = currentTitle(state).replace(/^\[memory\]\s*/i, '')
    const body = currentBody(state).trim()
    return {
      key: null,
      issueId,
      about: null,
      text: body === '' ? title : `${title}\n\n${body}`,
      actor: state.creation?.version.actor ?? null,
      tsUnixMs: rows.find(({ issue_id }) => issue_id === issueId)?.updated_ts ?? 0,
    }
  })
}
