import { type GitObject, type GitPort, metadataBytesMax, type Oid, parseCommit, parseTree } from '../git/index.ts'
import { CorruptObjectError } from '../model/index.ts'
import type { SegmentCodec } from './segment-codec.ts'

/** Foreign commits allowed on top of a stream before it is rejected. */
const foreignCommitsMax = 100

/**
 * Says why a head is not one of a stream; null when it is: a commit of that stream, or a few foreign commits on top of
 * one. Anything else would become part of every clone's stream for good.
 */
export async function judgeHead(
  git: GitPort,
  { codec }: { readonly codec: Pick<SegmentCodec<never, unknown>, 'markFile'> },
  head: Oid,
): Promise<string | null> {
  let oid: Oid | undefined = head
  for (let count = 0; count < foreignCommitsMax && oid !== undefined; count++) {
    const object = await read(git, oid)
    if (object?.type !== 'commit') {
      if (count > 0) break
      return object === null ? 'an unreadable object' : `a ${object.type}`
    }
    const commit = tryParse(() => parseCommit(object.content))
    if (commit === null) return 'a damaged commit'
    const files = await read(git, commit.tree)
    const rows = files?.type === 'tree' ? tryParse(() => parseTree(git.layout.objectFormat, files.content)) : null
    if (rows?.some(({ name }) => name === codec.markFile)) return null
    oid = commit.parents[0]
  }
  return 'a commit of another kind'
}

function tryParse<Result>(parse: () => Result): Result | null {
  try {
    return parse()
  } catch (error) {
    if (error instanceof CorruptObjectError) return null
    throw error
  }
}

async function read(git: GitPort, oid: Oid): Promise<GitObject | null> {
  return git.readObject(oid, metadataBytesMax).catch(() => null)
}
