/** The memories that a session should begin with. */
import { listChangedFiles } from '../../git/index.ts'
import { type IssueId, isAboutPath } from '../../model/index.ts'
import { shortIdLength, type View } from '../../view/index.ts'
import { isIssueAbout } from '../memories/about.ts'
import { type KeptMemory, readMemories } from '../memories/memories.ts'
import type { Workspace } from '../workspace.ts'
import { beginningOf } from './beginning-of.ts'
import type { PrimeMemory } from './format-prime.ts'

/** Characters of a shown text. */
const textLengthMax = 200

/**
 * At most `countMax` memories: first those about an issue or a file at hand, each newest first. Files at hand are those
 * that git shows as changed.
 *
 * @param issues - the issues at hand
 */
export async function chooseMemories(
  repository: Workspace,
  view: View,
  { issues, countMax }: { readonly issues: ReadonlySet<string>; readonly countMax: number },
): Promise<{ readonly memories: readonly PrimeMemory[]; readonly leftOut: number }> {
  const { memories } = await readMemories(view)
  const isAboutFile = ({ about }: KeptMemory) => about !== null && !isIssueAbout(about)
  // Asks git only if the answer matters.
  const files = memories.length > 1 && memories.some(isAboutFile) ? await listChangedFiles(repository.git) : []
  const isAtHand = (memory: KeptMemory): boolean => {
    const { about } = memory
    if (about === null) return false
    if (!isAboutFile(memory)) return issues.has(about)
    return files.some((file) => isAboutPath(about, file) || (file.endsWith('/') && about.startsWith(file)))
  }
  const first = memories.filter(isAtHand)
  const atHand = new Set(first)
  const shown = [...first, ...memories.filter((memory) => !atHand.has(memory))].slice(0, countMax)
  const shortIds = await view.shortIds(
    shown.flatMap(({ about }) => (about !== null && isIssueAbout(about) ? (about as IssueId) : [])),
    shortIdLength,
  )
  return {
    memories: shown.map(({ key, about, text }) => ({
      key,
      about: about === null ? null : (shortIds.get(about as IssueId) ?? about),
      text: beginningOf(text, textLengthMax),
    })),
    leftOut: memories.length - shown.length,
  }
}
