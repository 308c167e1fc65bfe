/** The note about the state of an actor's own card in the log. Only a cache: without it the view is read. */
import { readFileSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { ActorId } from '../../model/index.ts'
import type { GritePaths } from './paths.ts'
import { makeFolder } from './write-file-atomically.ts'

/** Note of a new actor: no log can have a card of it yet. */
export const newActorNote = 'new\n'

/** Undefined when there is no readable note. */
export function readCardNote(paths: GritePaths, actor: ActorId): string | undefined {
  try {
    return readFileSync(paths.ownCard(actor), 'utf8')
  } catch {
    return undefined
  }
}

/** Never throws: without the note, the next write reads the view. */
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
    // If the file cannot be deleted, it could not be written either.
  }
}
