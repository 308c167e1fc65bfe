/** The note of what the log holds of an actor's own card. Only a cache: without it the view is asked. */
import { readFileSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { ActorId } from '../../model/index.ts'
import type { GritePaths } from './paths.ts'
import { makeFolder } from './write-file-atomically.ts'

/** Of an actor that has just been made: no log can have a card of it. */
export const newActorNote = 'new\n'

/** Undefined when there is none, or it cannot be read. */
export function readCardNote(paths: GritePaths, actor: ActorId): string | undefined {
  try {
    return readFileSync(paths.ownCard(actor), 'utf8')
  } catch {
    return undefined
  }
}

/** Never throws: the next write looks into the view again. */
export async function writeCardNote(paths: GritePaths, actor: ActorId, note: string): Promise<void> {
  const file = paths.ownCard(actor)
  try {
    await makeFolder(dirname(file), paths.permissions)
    await writeFile(file, note)
    paths.permissions.adjust(file)
  } catch {
    forgetCardNote(paths, actor)
  }
}

export function forgetCardNote(paths: GritePaths, actor: ActorId): void {
  try {
    rmSync(paths.ownCard(actor), { force: true })
  } catch {
    // What cannot be deleted could not be written either.
  }
}
