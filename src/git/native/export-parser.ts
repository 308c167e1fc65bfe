import { limits } from '../../model/index.ts'
import { oidLength } from '../oid.ts'
import { PairEntry, readSeconds } from '../pair-entry.ts'
import type { CommitEntry, CommitFile, ObjectFormat, Oid } from '../port.ts'
import { PairScanner, pairBytesMax } from './pair-scanner.ts'

export interface ExportedCommit {
  readonly entry: CommitEntry
  /** Some contents were exported too long ago to be kept: the commit must be read separately. */
  readonly isUnread: boolean
}

export interface ExportParser {
  /** @param room - bytes before the chunk in its memory that may be overwritten */
  push(chunk: Buffer, room?: number): void
  /** Parses the rest of a stream that has ended. */
  end(): void
  /** Returns the commits finished so far, oldest first. */
  take(): readonly ExportedCommit[]
  /** Whether a commit exceeds the limits for one commit. Such a commit needs a reader that counts while it walks. */
  isUnusual(): boolean
}

interface OpenCommit {
  oid: Oid
  parents: Oid[]
  committedAtUnixSeconds: number
  message: string
  files: CommitFile[]
  isUnread: boolean
  contentBytes: number
  /** At least as many as the rows of its trees that lead to files, and as the bytes of those trees. */
  treeRows: number
  treeBytes: number
  /** After `deleteall`, a blank line ends the commit. */
  listsFiles: boolean
}

interface OpenData {
  readonly content: Buffer
  filled: number
}

/** Contents kept for later commits that share them. Two generations, so up to twice this. Bytes. */
const keptBytesMax = 2 * 1024 * 1024
const keptContentBytes = 200
/** Far above any message of ours. */
const messageBytesMax = 1024 * 1024

/** Longer than a line with the longest allowed path, each byte of it escaped. */
const lineBytesMax = 4 * limits.commitPathBytesMax + 256

const newline = 0x0a
const slash = 0x2f

/** A row of a tree besides its name: mode, separators, and the longer kind of id. Bytes. */
const treeRowBytes = 40

/** So many files cannot exceed a limit on trees, however deep each lies. */
const fewFiles = 1024

/** The folders of a path, or more where few files make no difference. */
function countFolders(path: string, fileCount: number): number {
  // Most paths are short, and most commits have two files.
  if (path.length <= limits.commitDepthMax && fileCount < fewFiles) return limits.commitDepthMax
  let folders = 0
  for (let at = 0; at < path.length; at++) if (path.charCodeAt(at) === slash) folders += 1
  return folders
}

/**
 * Parses the stream of `git fast-export --full-tree --show-original-ids` (git-fast-import(1)):
 *
 *     blob | commit <name>
 *     mark :<n>
 *     original-oid <oid>
 *     [author …] [committer … <seconds> <zone>] [encoding …]
 *     data <size>                content or message, exactly <size> bytes
 *     [from :<n>|<oid>] [merge :<n>|<oid>]… deleteall
 *     [M <mode> :<n>|<oid> <path>]…
 *                                a blank line
 */
export function createExportParser(format: ObjectFormat, blobBytesMax: number): ExportParser {
  const marks = createMarkTable(oidLength[format] / 2)
  let young = new Map<number, Buffer>()
  let old = new Map<number, Buffer>()
  let youngBytes = 0
  /** Contents since the last commit. */
  let commitBytes = 0
  let rest: Buffer | null = null
  const pairs = new PairScanner(format)
  let hasEnded = false
  /** The newest pair, which is usually the next one's parent. */
  let newestMark = -1
  let newestOid = '' as Oid
  let data: OpenData | null = null
  let commit: OpenCommit | null = null
  let mark = 0
  let finished: ExportedCommit[] = []
  /** Nothing after this point is parsed. */
  let isUnusual = false

  function push(chunk: Buffer, room = 0): void {
    const bytes = rest === null ? chunk : join(rest, chunk, room)
    rest = null
    parse(bytes)
  }

  function parse(bytes: Buffer): void {
    let position = data === null ? 0 : fillData(data, bytes, 0)
    while (position < bytes.length && !isUnusual) {
      if (bytes[position] === 0x62 && commit === null && blobBytesMax >= pairBytesMax) {
        if (pairs.scan(bytes, position)) {
          finishPair(bytes)
          position = pairs.end
          continue
        }
        if (pairs.isCut && !hasEnded && bytes.length - position < pairBytesMax) {
          rest = bytes.subarray(position)
          return
        }
      }
      const end = bytes.indexOf(newline, position)
      if (end < 0) {
        isUnusual = bytes.length - position > lineBytesMax
        rest = bytes.subarray(position)
        return
      }
      position = readLine(bytes, position, end)
    }
  }

  // Returns the start of the next line.
  function readLine(bytes: Buffer, start: number, end: number): number {
    switch (bytes[start]) {
      case newline:
        if (commit?.listsFiles) finishCommit(commit)
        return end + 1
      case 0x4d: // M
        if (commit) addFile(commit, bytes, start, end)
        return end + 1
      case 0x64: // data, deleteall
        if (bytes[start + 1] === 0x61) return startData(bytes, readNumber(bytes, start + 5, end), end + 1)
        if (commit) commit.listsFiles = true
        return end + 1
      case 0x6d: // mark, merge
        if (bytes[start + 1] === 0x61) mark = readNumber(bytes, start + 6, end)
        else if (commit) addParent(commit, readName(bytes, start + 6, end))
        return end + 1
      case 0x66: // from; after a reset, outside of a commit, it is not history
        commit?.parents.push(readName(bytes, start + 5, end))
        return end + 1
      case 0x6f: // original-oid
        return readOid(bytes.latin1Slice(start + 13, end) as Oid, end)
      case 0x63: // commit, committer
        if (bytes[start + 6] === 0x20) commit = openCommit()
        else if (commit) commit.committedAtUnixSeconds = readSeconds(bytes, end)
        return end + 1
      default:
        return end + 1
    }
  }

  function readOid(oid: Oid, end: number): number {
    if (oid.length === oidLength[format]) marks.set(mark, oid)
    if (commit) commit.oid = oid
    return end + 1
  }

  function startData(bytes: Buffer, size: number, start: number): number {
    // Content above the limit must not be exported: git inflates it completely before writing its first byte.
    if (size > (commit === null ? blobBytesMax : messageBytesMax)) {
      isUnusual = true
      return bytes.length
    }
    if (start + size <= bytes.length) {
      finishData(bytes.subarray(start, start + size))
      return start + size
    }
    data = { content: Buffer.allocUnsafeSlow(size), filled: 0 }
    return fillData(data, bytes, start)
  }

  function fillData(open: OpenData, bytes: Buffer, start: number): number {
    const taken = bytes.copy(open.content, open.filled, start)
    open.filled += taken
    if (open.filled === open.content.length) {
      data = null
      finishData(open.content)
    }
    return start + taken
  }

  function finishData(content: Buffer): void {
    if (commit !== null) {
      commit.message = content.utf8Slice(0, content.length)
      return
    }
    keep(mark, content)
    commitBytes += content.length
    if (commitBytes > limits.commitContentBytesMax) isUnusual = true
  }

  function keep(number: number, content: Buffer): void {
    young.set(number, content)
    youngBytes += keptContentBytes + content.length
  }

  // A content that commit after commit shares, like an index of one record, is exported only once.
  function rejuvenate(number: number): Buffer | undefined {
    const content = old.get(number)
    // A copy, which does not keep the chunk around it.
    if (content !== undefined) keep(number, Buffer.from(content))
    return content
  }

  function addParent(open: OpenCommit, parent: Oid): void {
    open.parents.push(parent)
    if (open.parents.length > limits.commitParentsMax) isUnusual = true
  }

  function addFile(open: OpenCommit, bytes: Buffer, start: number, end: number): void {
    const name = start + 9
    const space = bytes.indexOf(0x20, name)
    const mode = bytes.latin1Slice(start + 2, start + 8)
    const path = bytes[space + 1] === 0x22 ? unquote(bytes, space + 2, end - 1) : bytes.utf8Slice(space + 1, end)
    const folders = countFolders(path, open.files.length)
    open.treeRows += 1 + folders
    open.treeBytes += end - space + (1 + folders) * treeRowBytes
    isUnusual ||= open.files.length >= limits.commitFilesMax || folders > limits.commitDepthMax
    isUnusual ||= path.length > limits.commitPathBytesMax / 4 && Buffer.byteLength(path) > limits.commitPathBytesMax
    isUnusual ||= open.treeRows > limits.commitTreeRowsMax || open.treeBytes > limits.commitTreeBytesMax
    if (bytes[name] !== 0x3a) {
      // A submodule, or any file when contents are not exported.
      open.files.push({ path, mode, oid: bytes.latin1Slice(name, space) as Oid, content: null, problem: 'missing' })
      return
    }
    const number = readNumber(bytes, name + 1, space)
    const content = young.get(number) ?? rejuvenate(number)
    if (content === undefined) {
      open.isUnread = true
      // Counted like the others.
      open.files.push({ path, mode, oid: unknownOid, content: null, problem: 'too-large' })
      return
    }
    open.contentBytes += content.length
    if (open.contentBytes > limits.commitContentBytesMax) isUnusual = true
    open.files.push({ path, mode, oid: marks.get(number), content, problem: null })
  }

  function finishCommit({ oid, parents, committedAtUnixSeconds, message, files, isUnread }: OpenCommit): void {
    finished.push({
      entry: { oid, parents, committedAtUnixSeconds, message, files, problem: null, gaps: [] },
      isUnread,
    })
    commit = null
    commitBytes = 0
    // Only between commits, so that the contents of one commit stay together.
    if (youngBytes < keptBytesMax) return
    old = young
    young = new Map()
    youngBytes = 0
  }

  // Contents of a pair and their ids are not kept: a later commit that shares one is read separately.
  function finishPair(bytes: Buffer): void {
    const { first, second, oidStart, mark, parentMark } = pairs
    const oid = bytes.latin1Slice(oidStart, oidStart + oidLength[format]) as Oid
    marks.set(mark, oid)
    const parents = parentMark === 0 ? [] : [parentMark === newestMark ? newestOid : marks.get(parentMark)]
    const { committerEnd, messageStart, messageEnd } = pairs
    const entry = new PairEntry(bytes, { oid, parents, first, second, committerEnd, messageStart, messageEnd })
    finished.push({ entry, isUnread: false })
    newestMark = mark
    newestOid = oid
    commitBytes = 0
  }

  function readName(bytes: Buffer, start: number, end: number): Oid {
    if (bytes[start] === 0x3a) return marks.get(readNumber(bytes, start + 1, end))
    return bytes.latin1Slice(start, end) as Oid
  }

  return {
    push,
    end() {
      hasEnded = true
      const bytes = rest
      rest = null
      if (bytes !== null) parse(bytes)
    },
    take() {
      const taken = finished
      finished = []
      return taken
    },
    isUnusual: () => isUnusual,
  }
}

function join(rest: Buffer, chunk: Buffer, room: number): Buffer {
  if (rest.length > room) return Buffer.concat([rest, chunk])
  const bytes = Buffer.from(chunk.buffer, chunk.byteOffset - rest.length, rest.length + chunk.length)
  rest.copy(bytes)
  return bytes
}

function openCommit(): OpenCommit {
  return {
    oid: '' as Oid,
    parents: [],
    committedAtUnixSeconds: 0,
    message: '',
    files: [],
    isUnread: false,
    contentBytes: 0,
    treeRows: 0,
    treeBytes: 0,
    listsFiles: false,
  }
}

/** Of a file in a commit that is read separately. */
const unknownOid = '' as Oid

interface MarkTable {
  set(mark: number, oid: Oid): void
  get(mark: number): Oid
}

/** Ids by mark, as bytes: 20 per object of the history, where a string takes a hundred. */
function createMarkTable(idBytes: number): MarkTable {
  let table = Buffer.allocUnsafeSlow(idBytes * 4096)
  return {
    set(mark, oid) {
      const at = mark * idBytes
      if (at + idBytes > table.length) table = Buffer.concat([table, Buffer.allocUnsafeSlow(at + idBytes)])
      table.write(oid, at, 'hex')
    },
    get: (mark) => table.hexSlice(mark * idBytes, (mark + 1) * idBytes) as Oid,
  }
}

function readNumber(bytes: Buffer, start: number, end: number): number {
  let value = 0
  for (let position = start; position < end; position++) value = value * 10 + ((bytes[position] as number) - 0x30)
  return value
}

const escapes: Readonly<Record<number, number>> = { 97: 7, 98: 8, 116: 9, 110: 10, 118: 11, 102: 12, 114: 13 }

// quote.c: quote_c_style().
function unquote(bytes: Buffer, start: number, end: number): string {
  const plain: number[] = []
  for (let position = start; position < end; position++) {
    const byte = bytes[position] as number
    if (byte !== 0x5c) {
      plain.push(byte)
      continue
    }
    const next = bytes[++position] as number
    if (next >= 0x30 && next <= 0x33) {
      plain.push(Number.parseInt(bytes.latin1Slice(position, position + 3), 8))
      position += 2
    } else {
      plain.push(escapes[next] ?? next)
    }
  }
  return Buffer.from(plain).utf8Slice(0, plain.length)
}
