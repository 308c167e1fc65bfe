import { limits, shortenText } from '../model/index.ts'
import { oidLength } from './oid.ts'
import type { CommitEntry, CommitFile, HistoryGap, ObjectFormat, Oid } from './port.ts'

/** An object's bytes, or why they are unavailable. */
export type ObjectState = Buffer | 'too-large' | 'missing' | 'corrupt'

/** Looks an object up synchronously; undefined when it is not read yet. */
export type LookUpObject = (oid: Oid) => ObjectState | undefined

/** Whether a file's content has priority when a commit exceeds its bounds. */
export type ComesFirst = (path: string) => boolean

const noneFirst: ComesFirst = () => false

/**
 * Assembles a commit from objects that are already read, within the bounds that `limits` sets for one commit. After a
 * `wanted` answer, read those objects and call again.
 *
 * The files taken from a commit depend only on its tree order, so that every way of reading gives the same result. A
 * folder without files is searched once; only deliberately built trees exceed the row limit before the file limit.
 */
export class CommitAssembler {
  readonly #format: ObjectFormat
  readonly #oid: Oid
  readonly #commit: ObjectState
  readonly #lookUp: LookUpObject
  readonly #comesFirst: ComesFirst
  readonly #leading = new Map<Oid, readonly TreeRow[]>()
  /** Folders of the trees read so far. */
  readonly #folders = new Map<Oid, readonly Oid[]>()
  #treeBytes = 0

  constructor(
    format: ObjectFormat,
    oid: Oid,
    commit: ObjectState,
    lookUp: LookUpObject,
    comesFirst: ComesFirst = noneFirst,
  ) {
    this.#format = format
    this.#oid = oid
    this.#commit = commit
    this.#lookUp = lookUp
    this.#comesFirst = comesFirst
  }

  /** The entry, or the ids of objects to read first, in order of need. Not always all of them. */
  assemble(): CommitEntry | { readonly wanted: readonly Oid[] } {
    const [oid, commit] = [this.#oid, this.#commit]
    if (typeof commit === 'string') return unreadCommit(oid, commit)
    const header = readCommit(this.#format, commit)
    if (header === null) return brokenCommit(oid, `commit ${oid} is damaged`)
    const unread = this.#findUnread(header.tree)
    if (unread.length > 0) return { wanted: unread }
    const walk = {
      idBytes: oidLength[this.#format] / 2,
      lookUp: (tree: Oid) => (this.#folders.has(tree) ? this.#lookUp(tree) : this.#whyUnread(tree)),
      leading: this.#leading,
      rowsLeft: limits.commitTreeRowsMax,
      visitsLeft: visitsMax,
      emptyFolders: 0,
      rows: [],
      isFull: false,
      problem: null,
      gaps: [],
    } satisfies TreeWalk
    walkTree(walk, header.tree, '', 0)
    const files = fillFiles(walk.rows, this.#lookUp, this.#comesFirst)
    if ('wanted' in files) return files
    const { parents, committedAtUnixSeconds, message } = header
    const tooMany =
      parents.length > limits.commitParentsMax ? `it has more than ${limits.commitParentsMax} parents` : null
    return {
      oid,
      parents: tooMany === null ? parents : parents.slice(0, limits.commitParentsMax),
      committedAtUnixSeconds,
      message,
      files: files.files,
      problem: walk.problem ?? tooMany,
      gaps: walk.gaps,
    }
  }

  /** Unread trees, folder by folder from the root, each visited once however often it occurs. */
  #findUnread(root: Oid): Oid[] {
    const unread: Oid[] = []
    const seen = new Set([root])
    let level: Oid[] = [root]
    for (let depth = 0; depth <= limits.commitDepthMax && level.length > 0; depth++) {
      const below: Oid[] = []
      for (const oid of level) {
        const folders = this.#foldersOf(oid)
        if (folders === undefined) unread.push(oid)
        for (const folder of folders ?? []) {
          if (seen.has(folder)) continue
          seen.add(folder)
          below.push(folder)
        }
      }
      level = below
    }
    return unread
  }

  /** Undefined for a tree that must be read first. */
  #foldersOf(oid: Oid): readonly Oid[] | undefined {
    const known = this.#folders.get(oid)
    if (known !== undefined) return known
    const tree = this.#treeBytes > limits.commitTreeBytesMax ? 'too-large' : this.#lookUp(oid)
    if (tree === undefined) return undefined
    if (typeof tree === 'string') return []
    this.#treeBytes += tree.length
    const folders = this.#treeBytes > limits.commitTreeBytesMax ? [] : listFolders(tree, oidLength[this.#format] / 2)
    if (this.#treeBytes <= limits.commitTreeBytesMax) this.#folders.set(oid, folders)
    return folders
  }

  #whyUnread(oid: Oid): ObjectState {
    const tree = this.#lookUp(oid)
    return typeof tree === 'string' ? tree : 'too-large'
  }
}

/** Like `CommitAssembler`, for a single attempt. */
export function assembleCommit(
  format: ObjectFormat,
  oid: Oid,
  commit: ObjectState,
  lookUp: LookUpObject,
  comesFirst?: ComesFirst,
): CommitEntry | { readonly wanted: readonly Oid[] } {
  return new CommitAssembler(format, oid, commit, lookUp, comesFirst).assemble()
}

/** The entry for a commit without bytes. */
export function unreadCommit(oid: Oid, state: Exclude<ObjectState, Buffer>): CommitEntry {
  return { ...brokenCommit(oid, `commit ${oid} is ${state}`), gaps: gapsOf('commit', oid, state) }
}

function brokenCommit(oid: Oid, problem: string): CommitEntry {
  return { oid, parents: [], committedAtUnixSeconds: 0, message: '', files: [], problem, gaps: [] }
}

/** An object too large here is too large everywhere, so it is not a gap. */
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

// Reads git's fixed header order by position; one string for the whole header costs less than many slices.
function readCommit(format: ObjectFormat, bytes: Buffer): CommitHeader | null {
  const idLength = oidLength[format]
  let position = 5 + idLength
  if (bytes.length < position + 1 || bytes[0] !== 0x74 || bytes[position] !== newline) return null
  const tree = bytes.latin1Slice(5, position) as Oid
  const parents: Oid[] = []
  // "parent " is the only header line that starts with p.
  while (bytes[++position] === 0x70 && parents.length <= limits.commitParentsMax) {
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

/** A tree row that is a file or leads to one. */
interface TreeRow {
  readonly name: string
  /** Null for a folder. */
  readonly mode: string | null
  readonly oid: Oid
}

interface FileRow {
  readonly path: string
  readonly mode: string
  readonly oid: Oid
}

/** Ids of a tree's folders, each once; of a damaged tree, those before the damage. */
function listFolders(tree: Buffer, idBytes: number): readonly Oid[] {
  const folders = new Set<Oid>()
  for (let position = 0; position < tree.length; ) {
    const space = tree.indexOf(0x20, position)
    const end = space < 0 ? -1 : tree.indexOf(0, space)
    const next = end + 1 + idBytes
    if (end < 0 || next > tree.length) break
    // 40000 is the only five-digit mode.
    if (space - position === 5) folders.add(tree.hexSlice(end + 1, next) as Oid)
    position = next
  }
  return [...folders]
}

interface TreeWalk {
  readonly idBytes: number
  readonly lookUp: (oid: Oid) => ObjectState | undefined
  /** Rows that lead to files, for trees searched completely. */
  readonly leading: Map<Oid, readonly TreeRow[]>
  readonly rows: FileRow[]
  /** Rows that lead to files may still be this many. */
  rowsLeft: number
  /** Rows of any kind, of which each attempt takes some time. */
  visitsLeft: number
  /** Folders on the way to the present row in which no file was found so far. */
  emptyFolders: number
  /** A limit is reached. */
  isFull: boolean
  problem: string | null
  readonly gaps: HistoryGap[]
}

const submoduleMode = '160000'

/** True when the whole tree was searched, so that another visit gives the same result. */
function walkTree(walk: TreeWalk, oid: Oid, prefix: string, depth: number): boolean {
  const known = walk.leading.get(oid)
  if (known !== undefined) return walkRows(walk, known, prefix, depth)
  const tree = walk.lookUp(oid) ?? 'missing'
  if (typeof tree === 'string') {
    walk.problem ??= `tree ${nameTree(oid, prefix)} is ${tree}`
    walk.gaps.push(...gapsOf('tree', oid, tree))
    return false
  }
  const leading: TreeRow[] = []
  let isWhole = true
  for (let position = 0; position < tree.length && !walk.isFull; ) {
    const space = tree.indexOf(0x20, position)
    const end = space < 0 ? -1 : tree.indexOf(0, space)
    const next = end + 1 + walk.idBytes
    if (end < 0 || next > tree.length) {
      walk.problem ??= `tree ${nameTree(oid, prefix)} is damaged`
      return false
    }
    if (!countVisit(walk)) return false
    const rowOid = tree.hexSlice(end + 1, next) as Oid
    // 40000 is the only five-digit mode; a submodule's commit (160000) is not in this repository.
    const isFolder = space - position === 5
    if (!isFolder || walk.leading.get(rowOid)?.length !== 0) {
      const isSubmodule = tree[position + 1] === 0x36
      const mode = isFolder ? null : isSubmodule ? submoduleMode : tree.latin1Slice(position, space)
      const row = { name: tree.utf8Slice(space + 1, end), mode, oid: rowOid }
      const count = walk.rows.length
      const isDone = walkRow(walk, row, prefix, depth)
      if (!isDone) isWhole = false
      if (!isDone || walk.rows.length > count) leading.push(row)
    }
    position = next
  }
  if (isWhole && !walk.isFull) walk.leading.set(oid, leading)
  return isWhole
}

function walkRows(walk: TreeWalk, rows: readonly TreeRow[], prefix: string, depth: number): boolean {
  let isWhole = true
  for (const row of rows) {
    if (walk.isFull || !countVisit(walk)) return false
    if (!walkRow(walk, row, prefix, depth)) isWhole = false
  }
  return isWhole
}

/** `git fast-export` lists files only, so that rows without a file below them must not count: this bounds the time that they take. */
const visitsMax = 4 * limits.commitTreeRowsMax

function countVisit(walk: TreeWalk): boolean {
  walk.visitsLeft -= 1
  return walk.visitsLeft >= 0 || endAtRows(walk)
}

/** Counts a file, and the folders on the way to it that lead to no earlier file. */
function countFile(walk: TreeWalk): boolean {
  walk.rowsLeft -= 1 + walk.emptyFolders
  walk.emptyFolders = 0
  return walk.rowsLeft >= 0 || endAtRows(walk)
}

function endAtRows(walk: TreeWalk): false {
  walk.problem ??= `its trees have more than ${limits.commitTreeRowsMax} rows; the others were skipped`
  walk.isFull = true
  return false
}

function walkRow(walk: TreeWalk, { name, mode, oid }: TreeRow, prefix: string, depth: number): boolean {
  const path = prefix + name
  if (Buffer.byteLength(path) > limits.commitPathBytesMax) {
    walk.problem ??= `a path is longer than ${limits.commitPathBytesMax} bytes: ${shortenText(path, shownLengthMax)}`
    return false
  }
  if (mode === null) {
    if (depth < limits.commitDepthMax) return walkFolder(walk, oid, `${path}/`, depth + 1)
    walk.problem ??= `tree ${nameTree(oid, path)} lies deeper than ${limits.commitDepthMax} folders`
    return false
  }
  if (!countFile(walk)) return false
  if (walk.rows.length < limits.commitFilesMax) {
    walk.rows.push({ path, mode, oid })
    return true
  }
  walk.problem ??= `it holds more than ${limits.commitFilesMax} files; the others were skipped`
  walk.isFull = true
  return false
}

function walkFolder(walk: TreeWalk, oid: Oid, prefix: string, depth: number): boolean {
  const count = walk.rows.length
  walk.emptyFolders += 1
  const isWhole = walkTree(walk, oid, prefix, depth)
  if (walk.rows.length === count && !walk.isFull) walk.emptyFolders -= 1
  return isWhole
}

/** UTF-16 units of a foreign path in a message. */
const shownLengthMax = 80

function nameTree(oid: Oid, path: string): string {
  return path === '' ? oid : `${oid} (${shortenText(path, shownLengthMax)})`
}

/**
 * Loads contents into files, each object once, up to the memory limit. Priority files go first; the first that does not
 * fit ends the loading.
 */
function fillFiles(
  rows: readonly FileRow[],
  lookUp: LookUpObject,
  comesFirst: ComesFirst,
): { readonly files: readonly CommitFile[] } | { readonly wanted: readonly Oid[] } {
  const states = new Map<Oid, ObjectState>()
  const wanted: Oid[] = []
  let bytes = 0
  const fill = ({ mode, oid }: FileRow): void => {
    if (mode === submoduleMode || states.has(oid)) return
    const state = bytes > limits.commitContentBytesMax ? 'too-large' : lookUp(oid)
    if (state === undefined) wanted.push(oid)
    else if (typeof state !== 'string') bytes += state.length
    const isTaken = state !== undefined && bytes <= limits.commitContentBytesMax
    states.set(oid, isTaken ? state : 'too-large')
  }
  for (const row of rows) if (comesFirst(row.path)) fill(row)
  for (const row of rows) fill(row)
  if (wanted.length > 0) return { wanted }
  const files = rows.map(({ path, mode, oid }): CommitFile => {
    const state = mode === submoduleMode ? 'missing' : (states.get(oid) as ObjectState)
    if (typeof state === 'string') return { path, mode, oid, content: null, problem: state }
    return { path, mode, oid, content: state, problem: null }
  })
  return { files }
}
