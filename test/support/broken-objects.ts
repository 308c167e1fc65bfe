/** Loses objects in the ways a disk does. */
import { chmodSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export const waysToLose = ['missing', 'empty', 'garbage'] as const
export type WayToLose = (typeof waysToLose)[number]

/** Returns the file of a loose object in a repository with a work tree. */
export function looseFile(path: string, oid: string): string {
  return join(path, '.git/objects', oid.slice(0, 2), oid.slice(2))
}

/** Loses a loose object: removes its file, empties it as a power cut does, or fills it with garbage. */
export function loseObject(path: string, oid: string, way: WayToLose = 'missing'): void {
  const file = looseFile(path, oid)
  if (way === 'missing') {
    rmSync(file)
    return
  }
  chmodSync(file, 0o644)
  writeFileSync(file, way === 'empty' ? '' : 'x\x9c no object')
}
