import { buildTree } from '../../src/git/build-tree.ts'
import { encodeCommit } from '../../src/git/object-codec.ts'
import type {
  CommitEntry,
  GitPort,
  ObjectFormat,
  Oid,
  PendingObject,
  PublishPlan,
  RefName,
} from '../../src/git/port.ts'
import { walRef } from '../../src/wal/index.ts'

export interface SampleCommit {
  readonly oid: Oid
  readonly objects: readonly PendingObject[]
}

/** Makes a commit with files like those of the log. Equal fields give an equal id. */
export function sampleCommit(
  format: ObjectFormat,
  parents: readonly Oid[],
  message: string,
  files: Readonly<Record<string, string | Uint8Array>> = {
    'meta.json': `{"m":${JSON.stringify(message)}}`,
    'events/0.bin': message,
  },
): SampleCommit {
  const contents = Object.entries(files).map(([path, content]) => [path, Buffer.from(content)] as const)
  const tree = buildTree(format, new Map(contents))
  const author = { name: 'Test', email: 'test@example.com', unixSeconds: 1_700_000_000, offsetMinutes: 0 }
  const commit = encodeCommit(format, { tree: tree.root, parents, author, message })
  return { oid: commit.oid, objects: [...tree.objects, commit] }
}

/** Makes the plan that moves a ref from `expected` to a commit. */
export function planOf(commit: SampleCommit, expected: Oid | null, ref: RefName = walRef): PublishPlan {
  return {
    objects: commit.objects,
    updates: [{ ref, expected, next: commit.oid, reflogMessage: 'append', keepsReflog: ref === walRef }],
  }
}

/** Publishes a chain of commits on top of the ref; returns the ids, oldest first. */
export async function publishChain(
  port: GitPort,
  messages: readonly string[],
  ref: RefName = walRef,
): Promise<readonly Oid[]> {
  const oids: Oid[] = []
  let head = await port.readRef(ref)
  for (const message of messages) {
    const commit = sampleCommit(port.layout.objectFormat, head === null ? [] : [head], message)
    await port.publish(planOf(commit, head, ref))
    head = commit.oid
    oids.push(head)
  }
  return oids
}

/** Lists all commits of a history, in listing order. */
export async function listAll(port: GitPort, head: Oid, exclude: readonly Oid[] = []) {
  const commits = []
  for await (const batch of port.listCommits({ head, exclude })) commits.push(...batch)
  return commits
}

/** Reads all entries of a history, as plain objects whichever way they were read. */
export async function readAll(
  port: GitPort,
  head: Oid,
  exclude: readonly Oid[] = [],
  blobBytesMax = 1_000_000,
  mayUseFile = false,
) {
  const entries: CommitEntry[] = []
  for await (const batch of port.readHistory({ head, exclude, blobBytesMax, mayUseFile }))
    entries.push(...batch.map(plainEntry))
  return entries
}

export function plainEntry(entry: CommitEntry): CommitEntry {
  const { oid, parents, committedAtUnixSeconds, message, files, problem, gaps } = entry
  return { oid, parents, committedAtUnixSeconds, message, files, problem, gaps }
}
