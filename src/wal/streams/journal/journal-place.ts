/** Where the journals of one generation of a stream are, and their names (docs/format.md#journal). */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { SharedPermissions } from '../../../git/index.ts'
import type { Crc32c } from '../../../model/streams/index.ts'
import type { JournalDisk } from './journal-disk.ts'

export interface JournalPlace {
  /** `<common git directory>/grite/streams`; may be missing. */
  readonly folder: string
  /** `enc(stream id)`. */
  readonly encodedId: string
  readonly generation: number
  readonly permissions: SharedPermissions
  readonly disk: JournalDisk
  readonly crc32c: Crc32c
  /** A new path on the same disk, whose leftovers others remove. Its folder may be missing. */
  readonly newTemporaryPath: () => string
}

export interface JournalName {
  readonly encodedId: string
  readonly generation: number
  readonly firstOffset: number
  /** 16 hex. */
  readonly token: string
}

export function formatJournalName({ encodedId, generation, firstOffset, token }: JournalName): string {
  return `${encodedId}.${generation}.${`${firstOffset}`.padStart(20, '0')}.${token}.journal`
}

/** Null for any other file. */
function parseJournalName(name: string): JournalName | null {
  const found = /^([0-9a-v]{32})\.(0|[1-9]\d{0,15})\.(\d{20})\.([0-9a-f]{16})\.journal$/.exec(name)
  if (found === null) return null
  const [, encodedId = '', generation, firstOffset, token = ''] = found
  const parsed = { encodedId, generation: Number(generation), firstOffset: Number(firstOffset), token }
  return Number.isSafeInteger(parsed.generation) && Number.isSafeInteger(parsed.firstOffset) ? parsed : null
}

export function journalPathOf(place: JournalPlace, firstOffset: number, token: string): string {
  return join(place.folder, formatJournalName({ ...place, firstOffset, token }))
}

/** Names of all journals in the folder, for a list of streams; one read of the folder. */
export function listJournals({ disk, folder }: Pick<JournalPlace, 'disk' | 'folder'>): readonly JournalName[] {
  return disk.list(folder).flatMap((name) => parseJournalName(name) ?? [])
}

/** Names of the journals of one generation, by first offset. */
export function listOwnJournals(place: JournalPlace): readonly JournalName[] {
  const prefix = `${place.encodedId}.${place.generation}.`
  const names = place.disk.list(place.folder).filter((name) => name.startsWith(prefix))
  return sortNames(names.flatMap((name) => parseJournalName(name) ?? []))
}

/** By first offset, then by token. */
export function sortNames(names: readonly JournalName[]): readonly JournalName[] {
  return names.toSorted((left, right) => left.firstOffset - right.firstOffset || (left.token < right.token ? -1 : 1))
}

/**
 * The token of a file that follows no other, 16 hex. Processes that create the same file give it the same name, so that
 * one of them wins.
 */
export function firstTokenOf(facts: {
  readonly incarnation: string
  readonly generation: number
  readonly sealedCommit: string
  readonly cloneId: string
}): string {
  const hash = createHash('sha256').update(Uint8Array.of(0x06)).update(Buffer.from(facts.incarnation, 'hex'))
  const generation = Buffer.alloc(8)
  generation.writeBigUInt64BE(BigInt(facts.generation))
  hash.update(generation).update(Buffer.from(facts.sealedCommit, 'hex')).update(Buffer.from(facts.cloneId, 'hex'))
  return hash.digest('hex').slice(0, 16)
}
