import { oidLength } from './object-codec.ts'
import type { CommitEntry, CommitFile, HistoryGap, ObjectFormat, Oid } from './port.ts'

/** What is known of an object: its bytes, or why there are none. */
export type ObjectState = Buffer | 'too-large' | 'missing' | 'corrupt'

/** Looks an object up without waiting; undefined when nobody has read it yet. */
export type LookUpObject = (oid: Oid) => ObjectState | undefined

/** Deeper trees are no log of ours; a hostile one must not exhaust the stack. */
const treeDepthMax = 32

/**
 * Puts a commit together from objects read before.
 *
 * @returns the entry, or the ids that must be read before it can be put together
 */
export function assembleCommit(
  format: ObjectFormat,
  oid: Oid,
  commit: ObjectState,
  lookUp: LookUpObject,
): CommitEntry | { readonly wanted: readonly Oid[] } {
  if (typeof commit === 'string') return unreadCommit(oid, commit)
  const header = readCommit(format, commit)
  if (header === null) return brokenCommit(oid, `commit ${oid} is damaged`)
  const walk: TreeWalk = { idBytes: oidLength[format] / 2, lookUp, files: [], wanted: [], problem: null, gaps: [] }
  walkTree(walk, header.tree, '', 0)
  if (walk.wanted.length > 0) return { wanted: walk.wanted }
  return {
    oid,
    parents: header.parents,
    committedAtUnixSeconds: header.committedAtUnixSeconds,
    message: header.message,
    files: walk.files,
    problem: walk.problem,
    gaps: walk.gaps,
  }
}

/** What stands for a commit whose bytes are not here. */
export function unreadCommit(oid: Oid, state: Exclude<ObjectState, Buffer>): CommitEntry {
  return { ...brokenCommit(oid, `commit ${oid} is ${state}`), gaps: gapsOf('commit', oid, state) }
}

function brokenCommit(oid: Oid, problem: string): CommitEntry {
  return { oid, parents: [], committedAtUnixSeconds: 0, message: '', files: [], problem, gaps: [] }
}

/** What is too large is so everywhere. */
function gapsOf(kind: HistoryGap['kind'], oid: Oid, state: Exclude<ObjectState, Buffer>): readonly HistoryGap[] {
  return state === 'too-large' ? [] : [{ reason: state, kind, oid }]
}

interface CommitHeader {
  readonly tree: Oid
  readonly parents: readonly Oid[]
  readonly committedAtUnixSeconds: number
  readonly message: string
}

const newline = 0x0a

// Reads by position what git itself wrote in this order; one text for the whole header costs less than many slices.
function readCommit(format: ObjectFormat, bytes: Buffer): CommitHeader | null {
  const idLength = oidLength[format]
  let position = 5 + idLength
  if (bytes.length < position + 1 || bytes[0] !== 0x74 || bytes[position] !== newline) return null
  const tree = bytes.latin1Slice(5, position) as Oid
  const parents: Oid[] = []
  // "parent " is the only header line that starts with p.
  while (bytes[++position] === 0x70) {
    const end = position + 7 + idLength
    if (bytes[end] !== newline) return null
    parents.push(bytes.latin1Slice(position + 7, end) as Oid)
    position = end
  }
  const committer = bytes.indexOf('\ncommitter ', position - 1, 'latin1')
  const body = bytes.indexOf('\n\n', position, 'latin1')
  const headerEnd = body < 0 ? bytes.length : body
  if (committer < 0 || committer >= headerEnd) return null
  const lineEnd = bytes.indexOf(newline, committer + 1)
  return {
    tree,
    parents,
    committedAtUnixSeconds: readSeconds(bytes, lineEnd < 0 ? bytes.length : lineEnd),
    message: body < 0 ? '' : bytes.utf8Slice(body + 2, bytes.length),
  }
}

// `… <seconds> <zone>` at the end of the line.
function readSeconds(bytes: Buffer, lineEnd: number): number {
  const zone = bytes.lastIndexOf(0x20, lineEnd - 1)
  let seconds = 0
  for (let position = zone - 1, unit = 1; position > 0 && unit < 1e16; position--, unit *= 10) {
    const digit = (bytes[position] as number) - 0x30
    if (digit < 0 || digit > 9) break
    seconds += digit * unit
  }
  return seconds
}

interface TreeWalk {
  readonly idBytes: number
  readonly lookUp: LookUpObject
  readonly files: CommitFile[]
  readonly wanted: Oid[]
  problem: string | null
  readonly gaps: HistoryGap[]
}

function walkTree(walk: TreeWalk, oid: Oid, prefix: string, depth: number): void {
  const tree = depth > treeDepthMax ? 'too-large' : walk.lookUp(oid)
  if (tree === undefined) {
    walk.wanted.push(oid)
    return
  }
  if (typeof tree === 'string') {
    walk.problem ??= `tree ${oid}${prefix === '' ? '' : ` (${prefix})`} is ${tree}`
    walk.gaps.push(...gapsOf('tree', oid, tree))
    return
  }
  for (let position = 0; position < tree.length; ) {
    const space = tree.indexOf(0x20, position)
    const end = space < 0 ? -1 : tree.indexOf(0, space)
    const next = end + 1 + walk.idBytes
    if (end < 0 || next > tree.length) {
      walk.problem ??= `tree ${oid}${prefix === '' ? '' : ` (${prefix})`} is damaged`
      return
    }
    const path = prefix + tree.utf8Slice(space + 1, end)
    const rowOid = tree.hexSlice(end + 1, next) as Oid
    // 40000 is the only mode of five digits; a submodule's commit (160000) is not in this repository.
    if (space - position === 5) walkTree(walk, rowOid, `${path}/`, depth + 1)
    else if (tree[position + 1] === 0x36) walk.files.push(fileWithout(path, '160000', rowOid, 'missing'))
    else addFile(walk, path, tree.latin1Slice(position, space), rowOid)
    position = next
  }
}

function addFile(walk: TreeWalk, path: string, mode: string, oid: Oid): void {
  const content = walk.lookUp(oid)
  if (content === undefined) walk.wanted.push(oid)
  else if (typeof content === 'string') walk.files.push(fileWithout(path, mode, oid, content))
  else walk.files.push({ path, mode, oid, content, problem: null })
}

function fileWithout(path: string, mode: string, oid: Oid, problem: 'too-large' | 'missing' | 'corrupt'): CommitFile {
  return { path, mode, oid, content: null, problem }
}
