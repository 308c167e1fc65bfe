/**
 * The note of what this clone has sealed: `<enc(stream id)>.<generation>.sealed` beside the journals. A journal names the
 * commit that was the head when its file began, which is older than what was sealed since; so only the note tells when
 * another program has moved the ref aside, back, or away. Written after the ref has moved; an older note is never wrong,
 * a missing one only notices less.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isOid, type Oid, randomBytes } from '../../git/index.ts'
import { type Incarnation, isIncarnation } from '../../model/streams/index.ts'
import type { JournalPlace } from './journal/index.ts'

export interface SealedNote {
  readonly commit: Oid
  readonly incarnation: Incarnation
}

type NotePlace = Pick<JournalPlace, 'folder' | 'encodedId' | 'generation' | 'permissions'>

export function sealedNoteName({ encodedId, generation }: Pick<NotePlace, 'encodedId' | 'generation'>): string {
  return `${encodedId}.${generation}.sealed`
}

function pathOf(place: NotePlace): string {
  return join(place.folder, sealedNoteName(place))
}

/** Null without a note, or with a damaged one. */
export function readSealedNote(place: NotePlace): SealedNote | null {
  try {
    const [commit = '', incarnation = '', ...rest] = readFileSync(pathOf(place), 'utf8').trim().split(' ')
    if (rest.length > 0 || !(isOid(commit, 'sha1') || isOid(commit, 'sha256')) || !isIncarnation(incarnation))
      return null
    return { commit: commit as Oid, incarnation }
  } catch {
    return null
  }
}

/** Never throws. */
export function writeSealedNote(place: NotePlace, { commit, incarnation }: SealedNote): void {
  const path = pathOf(place)
  const draft = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    writeFileSync(draft, `${commit} ${incarnation}\n`, { flag: 'wx' })
    place.permissions.adjust(draft)
    renameSync(draft, path)
  } catch {
    rmSync(draft, { force: true })
  }
}

/** For a generation that has ended, or is gone: nothing is to be found again. */
export function removeSealedNote(place: NotePlace): void {
  rmSync(pathOf(place), { force: true })
}
