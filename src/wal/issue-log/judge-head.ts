import { type GitObject, type GitPort, type Oid, parseCommit, parseTree } from '../../git/index.ts'
import { CorruptObjectError, limits } from '../../model/index.ts'
import { metaPath } from './issue-codec.ts'

/** Foreign commits that may lie on top of a log before it is taken for something else. */
const foreignCommitsMax = 100

/**
 * What is wrong with a head that somebody calls an issue log; null when it is one: a commit of ours, or foreign ones on
 * top of it. Anything else would become part of every clone's log for good.
 */
export async function judgeHead(git: GitPort, head: Oid): Promise<string | null> {
  let oid: Oid | undefined = head
  for (let count = 0; count < foreignCommitsMax && oid !== undefined; count++) {
    const object = await read(git, oid)
    if (object?.type !== 'commit') {
      if (count > 0) break
      return object === null ? 'an object that cannot be read' : `a ${object.type}`
    }
    const commit = tryParse(() => parseCommit(object.content))
    if (commit === null) return 'a damaged commit'
    const files = await read(git, commit.tree)
    const rows = files?.type === 'tree' ? tryParse(() => parseTree(git.layout.objectFormat, files.content)) : null
    if (rows?.some(isMeta)) return null
    oid = commit.parents[0]
  }
  return 'a commit of something else'
}

function tryParse<Result>(parse: () => Result): Result | null {
  try {
    return parse()
  } catch (error) {
    if (error instanceof CorruptObjectError) return null
    throw error
  }
}

const isMeta = ({ name }: { readonly name: string }): boolean => name === metaPath

async function read(git: GitPort, oid: Oid): Promise<GitObject | null> {
  return git.readObject(oid, limits.chunkReadBytesMax).catch(() => null)
}
