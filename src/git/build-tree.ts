import { InvalidArgsError } from '../model/errors/index.ts'
import { encodeObject, encodeTree, type TreeEntry, treeMode } from './object-codec.ts'
import type { ObjectFormat, Oid, PendingObject } from './port.ts'

/** The trees for a set of files. */
export interface BuiltTree {
  readonly root: Oid
  /** New blobs, then trees from the leaves to the root; each id once. */
  readonly objects: readonly PendingObject[]
}

/** Files by `/`-separated path: bytes become blobs; an id is a blob that the repository already has. */
export type TreeFiles = ReadonlyMap<string, Oid | Uint8Array>

interface Folder {
  readonly entries: TreeEntry[]
  readonly folders: Map<string, Folder>
}

/**
 * Builds the nested trees for flat paths.
 *
 * @param stored - paths whose blobs are written uncompressed
 * @throws {InvalidArgsError} on a path that git would refuse
 */
export function buildTree(format: ObjectFormat, files: TreeFiles, stored: ReadonlySet<string> = new Set()): BuiltTree {
  const objects = new Map<Oid, PendingObject>()
  const top: Folder = { entries: [], folders: new Map() }
  for (const [path, content] of files) {
    const names = splitPath(path)
    const name = names.pop() as string
    const folder = names.reduce(enterFolder, top)
    if (folder.folders.has(name) || folder.entries.some((entry) => entry.name === name)) {
      throw new InvalidArgsError(`tree path ${JSON.stringify(path)}: is both a file and a folder`)
    }
    folder.entries.push({ mode: '100644', name, oid: blobOid(format, objects, content, stored.has(path)) })
  }
  const root = sealFolder(format, objects, top)
  return { root, objects: [...objects.values()] }
}

function splitPath(path: string): string[] {
  const names = path.split('/')
  const bad = names.some((name) => name === '' || name === '.' || name === '..' || name.toLowerCase() === '.git')
  if (bad || path.includes('\0')) throw new InvalidArgsError(`tree path ${JSON.stringify(path)}: git would refuse it`)
  return names
}

function enterFolder(folder: Folder, name: string): Folder {
  const known = folder.folders.get(name)
  if (known) return known
  if (folder.entries.some((entry) => entry.name === name)) {
    throw new InvalidArgsError(`tree path ${JSON.stringify(name)}: is both a file and a folder`)
  }
  const made: Folder = { entries: [], folders: new Map() }
  folder.folders.set(name, made)
  return made
}

function blobOid(
  format: ObjectFormat,
  objects: Map<Oid, PendingObject>,
  content: Oid | Uint8Array,
  isStored: boolean,
): Oid {
  if (typeof content === 'string') return content
  const blob = encodeObject(format, 'blob', content)
  objects.set(blob.oid, isStored ? { ...blob, isStored } : blob)
  return blob.oid
}

function sealFolder(format: ObjectFormat, objects: Map<Oid, PendingObject>, folder: Folder): Oid {
  const folders = [...folder.folders].map(([name, inner]) => ({
    mode: treeMode,
    name,
    oid: sealFolder(format, objects, inner),
  }))
  const tree = encodeTree(format, [...folder.entries, ...folders])
  objects.set(tree.oid, tree)
  return tree.oid
}
