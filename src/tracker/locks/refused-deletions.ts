import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { encodeNamePart } from '../../model/index.ts'
import type { GritePaths } from '../local/paths.ts'
import { makeFolder } from '../local/write-file-atomically.ts'

const againAfterMs = 7 * 86_400_000

/** Whether to ask a remote to delete ended leases: not within a week after a refusal. */
export async function mayAskForDeletion(paths: GritePaths, remote: string, nowUnixMs: number): Promise<boolean> {
  const [, refusedAt] = readNote(paths.refusedDeletions).find(([part]) => part === encodeNamePart(remote)) ?? []
  // If the clock was ahead when the refusal was noted, do not wait longer than a week.
  return refusedAt === undefined || Math.abs(nowUnixMs - refusedAt) > againAfterMs
}

/** Notes that a remote refused. A cache: without it the remote is only asked sooner. */
export async function noteRefusedDeletion(paths: GritePaths, remote: string, nowUnixMs: number): Promise<void> {
  const part = encodeNamePart(remote)
  const rows = readNote(paths.refusedDeletions).filter(([other]) => other !== part)
  const text = [...rows, [part, nowUnixMs]].map((row) => `${row.join(' ')}\n`).join('')
  try {
    await makeFolder(dirname(paths.refusedDeletions), paths.permissions)
    await writeFile(paths.refusedDeletions, text)
    paths.permissions.adjust(paths.refusedDeletions)
  } catch {
    // Without the note, the next sync asks again.
  }
}

/** Lines `<part of the remote> <ms>`. */
function readNote(path: string): [part: string, refusedAtUnixMs: number][] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    return []
  }
  return [...text.matchAll(/^([0-9a-v]+) (\d{1,16})$/gm)].map(([, part = '', at]) => [part, Number(at)])
}
