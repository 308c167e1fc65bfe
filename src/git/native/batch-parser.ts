import { oidLength } from '../oid.ts'
import type { ObjectFormat, ObjectType, Oid } from '../port.ts'

/** Receives the answers of `git cat-file --batch`, in the order of the requests. */
export interface BatchSink {
  /** Larger objects are reported as too large; their content is skipped and never held. Bytes. */
  contentMax(type: ObjectType): number
  /** `content` may share memory with its input chunk, which is never overwritten. */
  found(oid: Oid, type: ObjectType, content: Buffer): void
  tooLarge(oid: Oid, type: ObjectType, size: number): void
  missing(oid: Oid): void
}

export interface BatchParser {
  push(chunk: Buffer): void
  /** Number of complete answers. */
  readonly answered: () => number
  /** Discards a partial answer after its process died. */
  readonly reset: () => void
}

const space = 0x20
const newline = 0x0a

/**
 * Parses `<oid> <type> <size>\n<content>\n` and `<oid> missing\n` by bytes. No promise and no copy per object: this
 * loop dominates reading a history of small objects.
 */
export function createBatchParser(format: ObjectFormat, sink: BatchSink): BatchParser {
  const idLength = oidLength[format]
  /** Start of an incomplete header. */
  let rest: Buffer | null = null
  /** The object whose content is incomplete. */
  let partial: PartialObject | null = null
  let answered = 0

  function push(chunk: Buffer): void {
    let bytes = chunk
    if (rest !== null) {
      bytes = Buffer.concat([rest, chunk])
      rest = null
    }
    let position = partial === null ? 0 : resume(partial, bytes)
    while (position < bytes.length) {
      const end = bytes.indexOf(newline, position)
      if (end < 0) {
        rest = bytes.subarray(position)
        return
      }
      position = readAnswer(bytes, position, end)
    }
  }

  // Returns the start of the next header.
  function readAnswer(bytes: Buffer, start: number, end: number): number {
    const oid = bytes.latin1Slice(start, start + idLength) as Oid
    const type = typeAt(bytes, start + idLength + 1)
    if (type === null || bytes[start + idLength] !== space) {
      answered++
      sink.missing(oid)
      return end + 1
    }
    const size = sizeBefore(bytes, end)
    const contentStart = end + 1
    const contentEnd = contentStart + size
    if (size > sink.contentMax(type)) {
      const left = contentEnd + 1 - bytes.length
      if (left > 0) partial = { oid, type, size, content: null, filled: 0, left }
      else finishTooLarge(oid, type, size)
      return Math.min(contentEnd + 1, bytes.length)
    }
    if (contentEnd + 1 <= bytes.length) {
      answered++
      sink.found(oid, type, bytes.subarray(contentStart, contentEnd))
      return contentEnd + 1
    }
    const content = Buffer.allocUnsafeSlow(size)
    const filled = bytes.copy(content, 0, contentStart)
    partial = { oid, type, size, content, filled, left: contentEnd + 1 - bytes.length }
    return bytes.length
  }

  // `left` counts the newline after the content too.
  function resume(object: PartialObject, bytes: Buffer): number {
    const taken = Math.min(object.left, bytes.length)
    if (object.content !== null)
      object.filled += bytes.copy(object.content, object.filled, 0, Math.min(taken, object.size - object.filled))
    object.left -= taken
    if (object.left > 0) return taken
    partial = null
    if (object.content === null) finishTooLarge(object.oid, object.type, object.size)
    else {
      answered++
      sink.found(object.oid, object.type, object.content)
    }
    return taken
  }

  function finishTooLarge(oid: Oid, type: ObjectType, size: number): void {
    answered++
    sink.tooLarge(oid, type, size)
  }

  return {
    push,
    answered: () => answered,
    reset() {
      rest = null
      partial = null
    },
  }
}

interface PartialObject {
  readonly oid: Oid
  readonly type: ObjectType
  readonly size: number
  readonly content: Buffer | null
  filled: number
  left: number
}

// No type starts like `missing`.
function typeAt(bytes: Buffer, position: number): ObjectType | null {
  switch (bytes[position]) {
    case 0x62:
      return 'blob'
    case 0x63:
      return 'commit'
    case 0x74:
      return bytes[position + 1] === 0x72 ? 'tree' : 'tag'
    default:
      return null
  }
}

function sizeBefore(bytes: Buffer, end: number): number {
  let size = 0
  for (let position = end - 1, unit = 1; bytes[position] !== space; position--, unit *= 10) {
    size += ((bytes[position] as number) - 0x30) * unit
  }
  return size
}
