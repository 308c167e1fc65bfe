/** The commits of one generation of a stream, as git has them. */
import type { GitPort, Oid } from '../../../git/index.ts'
import { rootOfManifest, type Trailers } from '../../../model/streams/index.ts'
import { hintsOf, type ManifestReader, type ReadManifest } from '../commit-reader.ts'
import { CommitWalk } from '../layout.ts'
import { leafOfAdopted } from './act-manifest.ts'

export interface ChainCommit {
  readonly commit: Oid
  readonly parents: readonly Oid[]
  /** What its message says; null when that cannot be read. */
  readonly hints: Trailers | null
}

/**
 * Commits by first parents, newest first, down to the one that begins the generation.
 *
 * @throws {UnreadableCommitError} when a commit object is unreadable
 */
export async function* walkChain(git: GitPort, manifests: ManifestReader, head: Oid): AsyncGenerator<ChainCommit> {
  const walk = new CommitWalk(git)
  let rest = (await manifests.read(head)).manifest.commitCount
  try {
    for (let commit: Oid | undefined = head, read = 0; commit !== undefined && rest > 0; read++, rest--) {
      const facts = await walk.read(commit, read)
      yield { commit, parents: facts.parents, hints: hintsOf(facts) }
      commit = facts.parents[0]
    }
  } finally {
    await walk.pause()
  }
}

/** Roots of all parents of a commit. */
export async function parentRootsOf(
  manifests: ManifestReader,
  { parents }: Pick<ReadManifest, 'parents'>,
): Promise<readonly Uint8Array[]> {
  const roots: Uint8Array[] = []
  for (const parent of parents) roots.push(rootOfManifest((await manifests.read(parent)).manifest))
  return roots
}

/** The subtrees of the entries that a commit adds, from its manifest. */
export async function ownSubtreesOf(
  manifests: ManifestReader,
  found: ReadManifest,
): Promise<{ readonly leaves: readonly Uint8Array[] | null; readonly subtrees: readonly Uint8Array[] | null }> {
  const { content } = found.manifest
  if (content === null) return { leaves: [], subtrees: [] }
  if (content.kind === 'segment') return { leaves: null, subtrees: content.row.subtrees }
  const roots = await parentRootsOf(manifests, found)
  return { leaves: content.rows.map((row) => leafOfAdopted(row, roots)), subtrees: null }
}
