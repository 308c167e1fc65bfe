import { join } from 'node:path'
import { InvalidArgsError } from '../model/errors/index.ts'
import type { Oid, RefName, RepositoryLayout } from './port.ts'

// git-check-ref-format(1), for names below refs/.
const forbidden = /[\x00-\x20\x7f~^:?*[\\]|\.\.|@\{|\/\/|\/\.|\.lock(\/|$)|\.$|\/$/

/** Parses a full ref name. @throws {InvalidArgsError} when git would refuse it, or it is not below `refs/` */
export function parseRefName(text: string): RefName {
  if (!/^refs\/[^/.]/.test(text) || forbidden.test(text)) {
    throw new InvalidArgsError(`ref name ${JSON.stringify(text.slice(0, 200))}: git would refuse it`)
  }
  return text as RefName
}

export function looseRefPath(layout: RepositoryLayout, ref: string): string {
  return join(layout.commonDir, ref)
}

export function reflogPath(layout: RepositoryLayout, ref: string): string {
  return join(layout.commonDir, 'logs', ref)
}

export function packedRefsPath(layout: RepositoryLayout): string {
  return join(layout.commonDir, 'packed-refs')
}

/** Folder for files that become locks; on the same file system as the refs. */
export function refTemporaryDir(layout: RepositoryLayout): string {
  return join(layout.commonDir, 'grite', 'tmp')
}

export function looseObjectPath(layout: RepositoryLayout, oid: Oid): string {
  return `${layout.objectDir}/${oid.slice(0, 2)}/${oid.slice(2)}`
}

export function packDir(layout: RepositoryLayout): string {
  return join(layout.objectDir, 'pack')
}

/** Finds one ref in a packed-refs file without parsing the rest; null when it is not listed. */
export function findPackedRef(packed: Buffer, ref: string): string | null {
  const needle = Buffer.from(` ${ref}\n`, 'utf8')
  const at = packed.indexOf(needle)
  if (at < 0) return null
  const lineStart = packed.lastIndexOf(0x0a, at) + 1
  return packed.toString('latin1', lineStart, at)
}

/** Rows of a packed-refs file whose name starts with the prefix. Skips comments and peeled values. */
export function parsePackedRefs(packed: Buffer, prefix: string): readonly { ref: string; oid: string }[] {
  if (packed.indexOf(` ${prefix}`) < 0) return []
  const rows: { ref: string; oid: string }[] = []
  for (const line of packed.toString('utf8').split('\n')) {
    const space = line.indexOf(' ')
    if (space < 40 || line.startsWith('#') || line.startsWith('^')) continue
    const ref = line.slice(space + 1)
    if (ref.startsWith(prefix)) rows.push({ ref, oid: line.slice(0, space) })
  }
  return rows
}
