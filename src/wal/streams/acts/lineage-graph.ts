/**
 * The lineage of commits as git has it: which streams they come from, and what was merged into them. It depends on the
 * commits alone, so a verification finds the same bases as the merge did.
 */
import type { GitPort, Oid } from '../../../git/index.ts'
import {
  type Incarnation,
  type LineageGraph,
  type LineageJoin,
  type LineageKind,
  type LineageNode,
  nextOffsetOf,
  type StreamId,
} from '../../../model/streams/index.ts'
import { hintsOf, type ManifestReader, type ReadManifest } from '../commit-reader.ts'
import { CommitWalk, type StreamIdentity } from '../layout.ts'

const separator = '\0'

/** The name of a stream's incarnation in a graph. */
export function keyOf({ streamId, incarnation }: StreamIdentity): string {
  return `${streamId}${separator}${incarnation}`
}

export function identityOf(key: string): StreamIdentity {
  const at = key.lastIndexOf(separator)
  return { streamId: key.slice(0, at) as StreamId, incarnation: key.slice(at + 1) as Incarnation }
}

interface OpenNode extends LineageNode {
  readonly kind: LineageKind
  readonly joins: LineageJoin[]
}

/** @throws {UnreadableCommitError} when a commit of the lineage is unreadable */
export async function readLineageGraph(
  git: GitPort,
  manifests: ManifestReader,
  commits: readonly Oid[],
): Promise<LineageGraph> {
  const nodes = new Map<string, OpenNode>()
  const visited = new Set<Oid>()
  const waiting = [...commits]
  for (let start = waiting.pop(); start !== undefined; start = waiting.pop())
    await readChain({ git, manifests, nodes, visited, waiting }, start)
  return nodes
}

interface Reading {
  readonly git: GitPort
  readonly manifests: ManifestReader
  readonly nodes: Map<string, OpenNode>
  readonly visited: Set<Oid>
  readonly waiting: Oid[]
}

/** Reads one stream from a commit back to its beginning, or to what was read before. */
async function readChain({ git, manifests, nodes, visited, waiting }: Reading, start: Oid): Promise<void> {
  const walk = new CommitWalk(git)
  let owner: StreamIdentity | null = null
  let commit: Oid | undefined = start
  try {
    for (let read = 0; commit !== undefined && !visited.has(commit); read++) {
      visited.add(commit)
      const facts = await walk.read(commit, read)
      const hints = hintsOf(facts)
      // A plain seal joins nothing.
      if (owner !== null && hints?.act === null && hints.streamId === owner.streamId && facts.parents.length === 1) {
        commit = facts.parents[0]
        continue
      }
      const found = await manifests.read(commit)
      owner = found.manifest
      const key = keyOf(owner)
      const node: OpenNode = nodes.get(key) ?? { id: key, kind: found.manifest.lineage.kind, joins: [] }
      nodes.set(key, node)
      waiting.push(...(await readJoins(manifests, found, node.joins)))
      commit = found.manifest.commitCount === 1 ? undefined : found.parents[0]
    }
  } finally {
    await walk.pause()
  }
}

/** Notes what a commit joins. @returns the commits that lead on */
async function readJoins(
  manifests: ManifestReader,
  { manifest, parents }: ReadManifest,
  joins: LineageJoin[],
): Promise<readonly Oid[]> {
  const { act, lineage } = manifest
  const isFirst = manifest.commitCount === 1
  if (isFirst && act?.name === 'carry') {
    // Its parents in git are in an earlier generation.
    const named = lineage.parents.map((parent) => ({ id: keyOf(parent), offset: parent.offset, from: 0 }))
    joins.unshift(...named)
    return []
  }
  if (act?.name === 'merge') {
    const sources = isFirst ? parents : parents.slice(1)
    for (const [index, source] of sources.entries()) {
      const { manifest: merged } = await manifests.read(source)
      const offset = act.offsets[index] ?? nextOffsetOf(merged)
      joins.push({ id: keyOf(merged), offset, from: nextOffsetOf(manifest) })
    }
    return sources
  }
  const [parent, fork] = [parents[0], lineage.parents[0]]
  if (!isFirst || lineage.kind !== 'branch' || parent === undefined || fork === undefined) return []
  const { manifest: containing } = await manifests.read(parent)
  joins.unshift({ id: keyOf(containing), offset: fork.offset, from: fork.offset })
  return [parent]
}
