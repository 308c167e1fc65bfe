import { createHash } from 'node:crypto'
import { CorruptObjectError } from '../model/errors/index.ts'
import { isOid, oidLength } from './oid.ts'
import type { ObjectFormat, ObjectType, Oid, PendingObject } from './port.ts'
import { smallSha1 } from './small-sha1.ts'

/** The header that git hashes and deflates before the content: `<type> <size>\0`. */
export function encodeObjectHeader(type: ObjectType, size: number): Buffer {
  return Buffer.from(`${type} ${size}\0`, 'latin1')
}

/** Above this, node:crypto is faster even with the time for loading it. */
const smallBytesMax = 4096
/** After as many small objects, loading it (2 ms) pays: it takes 1 us for each, our own code 8 us. */
const smallObjectsMax = 256
const small = { hashed: 0 }

/** The git object id of these bytes. */
export function hashObject(format: ObjectFormat, type: ObjectType, content: Uint8Array): Oid {
  if (format === 'sha1' && content.byteLength <= smallBytesMax && small.hashed < smallObjectsMax) {
    small.hashed++
    return smallSha1([encodeObjectHeader(type, content.byteLength), content]) as Oid
  }
  return createHash(format).update(encodeObjectHeader(type, content.byteLength)).update(content).digest('hex') as Oid
}

/** Computes an object's id from its bytes, which the caller must not change afterwards. */
export function encodeObject(format: ObjectFormat, type: ObjectType, content: Uint8Array): PendingObject {
  return { oid: hashObject(format, type, content), type, content }
}

/** One row of a tree. `mode` in octal without leading zero, as git writes it: `100644`, `40000`. */
export interface TreeEntry {
  readonly mode: string
  readonly name: string
  readonly oid: Oid
}

/** Mode of a directory row. */
export const treeMode = '40000'

/** Encodes a tree, rows in git's order (bytes, a directory as if its name ended in `/`). */
export function encodeTree(format: ObjectFormat, entries: readonly TreeEntry[]): PendingObject {
  const rows = entries.map((entry) => ({ entry, key: sortKey(entry) }))
  rows.sort((left, right) => Buffer.compare(left.key, right.key))
  const parts = rows.flatMap(({ entry }) => [
    Buffer.from(`${entry.mode} ${entry.name}\0`, 'utf8'),
    Buffer.from(entry.oid, 'hex'),
  ])
  return encodeObject(format, 'tree', Buffer.concat(parts))
}

function sortKey({ mode, name }: TreeEntry): Buffer {
  return Buffer.from(mode === treeMode ? `${name}/` : name, 'utf8')
}

export interface Signature {
  readonly name: string
  readonly email: string
  readonly unixSeconds: number
  /** Minutes east of UTC. */
  readonly offsetMinutes: number
}

export interface CommitFields {
  readonly tree: Oid
  readonly parents: readonly Oid[]
  /** Also the committer. */
  readonly author: Signature
  /** Exactly as given: no newline is added. */
  readonly message: string
}

/** Encodes a commit. */
export function encodeCommit(format: ObjectFormat, fields: CommitFields): PendingObject {
  const who = formatSignature(fields.author)
  const lines = [
    `tree ${fields.tree}`,
    ...fields.parents.map((parent) => `parent ${parent}`),
    `author ${who}`,
    `committer ${who}`,
    '',
    fields.message,
  ]
  return encodeObject(format, 'commit', Buffer.from(lines.join('\n'), 'utf8'))
}

/** `Name <email> 1700000000 +0100`; characters that would end a field early are dropped, as in git. */
export function formatSignature({ name, email, unixSeconds, offsetMinutes }: Signature): string {
  const sign = offsetMinutes < 0 ? '-' : '+'
  const minutes = Math.abs(offsetMinutes)
  const zone = `${sign}${pad(Math.floor(minutes / 60))}${pad(minutes % 60)}`
  return `${plain(name)} <${plain(email)}> ${Math.floor(unixSeconds)} ${zone}`
}

function plain(text: string): string {
  return text.replace(/[<>\n\0]/g, '').trim()
}

function pad(value: number): string {
  return `${value}`.padStart(2, '0')
}

/** Decodes a tree. @throws {CorruptObjectError} when the bytes are not rows of mode, name and id */
export function parseTree(format: ObjectFormat, bytes: Uint8Array): readonly TreeEntry[] {
  const buffer = asBuffer(bytes)
  const idBytes = oidLength[format] / 2
  const entries: TreeEntry[] = []
  let position = 0
  while (position < buffer.length) {
    const space = buffer.indexOf(0x20, position)
    const end = space < 0 ? -1 : buffer.indexOf(0, space)
    const next = end + 1 + idBytes
    if (space < 0 || end < 0 || next > buffer.length || space - position > 6 || end === space + 1) {
      throw new CorruptObjectError('tree rows are damaged')
    }
    entries.push({
      mode: buffer.toString('latin1', position, space),
      name: buffer.toString('utf8', space + 1, end),
      oid: buffer.toString('hex', end + 1, next) as Oid,
    })
    position = next
  }
  return entries
}

export interface ParsedCommit {
  readonly tree: Oid
  readonly parents: readonly Oid[]
  readonly author: string
  readonly committer: string
  readonly committedAtUnixSeconds: number
  readonly message: string
}

/** Decodes a commit. @throws {CorruptObjectError} when tree, author or committer is missing */
export function parseCommit(bytes: Uint8Array): ParsedCommit {
  const buffer = asBuffer(bytes)
  const bodyStart = buffer.indexOf('\n\n')
  const header = bodyStart < 0 ? buffer.toString('utf8') : buffer.toString('utf8', 0, bodyStart)
  const parents: Oid[] = []
  let tree: string | undefined
  let author: string | undefined
  let committer: string | undefined
  for (const line of header.split('\n')) {
    if (line.startsWith('parent ')) parents.push(line.slice(7) as Oid)
    else if (line.startsWith('tree ')) tree ??= line.slice(5)
    else if (line.startsWith('author ')) author ??= line.slice(7)
    else if (line.startsWith('committer ')) committer ??= line.slice(10)
  }
  if (tree === undefined || author === undefined || committer === undefined) {
    throw new CorruptObjectError('commit header is damaged')
  }
  if (![tree, ...parents].every((oid) => isOid(oid, 'sha1') || isOid(oid, 'sha256'))) {
    throw new CorruptObjectError('commit contains an invalid object id')
  }
  return {
    tree: tree as Oid,
    parents,
    author,
    committer,
    committedAtUnixSeconds: parseSeconds(committer),
    message: bodyStart < 0 ? '' : buffer.toString('utf8', bodyStart + 2),
  }
}

function parseSeconds(signature: string): number {
  const after = signature.lastIndexOf('> ')
  const seconds = after < 0 ? Number.NaN : Number.parseInt(signature.slice(after + 2), 10)
  return Number.isSafeInteger(seconds) ? seconds : 0
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
