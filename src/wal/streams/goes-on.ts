import type { GitPort } from '../../git/index.ts'
import { walkChain } from './acts/chain.ts'
import { type ManifestReader, UnreadableCommitError } from './commit-reader.ts'
import type { StreamHead } from './stream-heads.ts'

interface GoesOnPlace {
  readonly git: GitPort
  readonly manifests: ManifestReader
}

/**
 * Whether a head is an earlier one or follows it in the same generation. To git, the commits of what a stream has merged
 * are before its head, too, and so may be those of another stream with its id, or of another end of its own.
 */
export async function goesOnFrom(
  { git, manifests }: GoesOnPlace,
  later: StreamHead,
  earlier: StreamHead,
): Promise<boolean> {
  if (later.commit === earlier.commit) return true
  const steps = later.manifest.commitCount - earlier.manifest.commitCount
  if (later.manifest.incarnation !== earlier.manifest.incarnation || steps <= 0) return false
  if (!(await git.isAncestor(earlier.commit, later.commit))) return false
  try {
    let step = 0
    for await (const { commit } of walkChain(git, manifests, later.commit))
      if (step++ === steps) return commit === earlier.commit
    return false
  } catch (error) {
    // Reading these commits reports what is wrong.
    if (error instanceof UnreadableCommitError) return true
    throw error
  }
}
