import { InvalidArgsError, NotFoundError } from '../../model/index.ts'
import type { StreamId } from '../../model/streams/index.ts'
import { type Cursor, type CursorFacts, type CursorPlace, createCursor, openCursor } from '../../wal/streams/index.ts'
import type { CommandContext } from '../effects.ts'
import type { Workspace } from '../workspace.ts'
import { describeDamage } from './open-streams.ts'

export interface CursorJson {
  readonly stream: string
  readonly incarnation: string
  readonly cursor: string
  /** Offset of the next record to consume. */
  readonly offset: number
  readonly epoch: number
  readonly actor: string | null
  readonly reason: string | null
  readonly labels: Readonly<Record<string, string>>
  readonly created_ts: number
  readonly updated_ts: number
  readonly commit: string
}

export function cursorJson({ document, commit }: Pick<Cursor, 'document' | 'commit'>): CursorJson {
  const { streamId, incarnation, name, offset, epoch, actor, reason } = document
  return {
    ...{ stream: streamId, incarnation, cursor: name, offset, epoch, actor, reason },
    labels: Object.fromEntries(document.labels),
    created_ts: document.createdTs,
    updated_ts: document.updatedTs,
    commit,
  }
}

export async function cursorPlace(
  { clock, warn }: Pick<CommandContext, 'clock' | 'warn'>,
  repository: Workspace,
): Promise<CursorPlace> {
  return {
    git: repository.git,
    streams: await repository.streams(),
    nowUnixMs: clock.nowUnixMs,
    onDamage: (damage) => warn({ code: 'stream-damage', message: describeDamage(damage), details: { ...damage } }),
  }
}

export interface CursorStart {
  readonly streamId: StreamId
  readonly name: string
  /** Where a new cursor begins. */
  readonly offset: number
  /** Whether a user chose the offset, which an existing cursor excludes. */
  readonly isGiven: boolean
}

/** Opens a cursor, and creates it where there is none. @returns the offset to read on from */
export async function openOrCreateCursor(
  place: CursorPlace,
  { streamId, name, offset, isGiven }: CursorStart,
  facts: CursorFacts,
): Promise<number> {
  try {
    const { document } = await openCursor(place, streamId, name)
    if (!isGiven) return document.offset
    throw new InvalidArgsError(`cursor '${name}' exists and is at offset ${document.offset}: leave --offset out`, {
      details: { field: 'offset', cursor: name, found: document.offset },
    })
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error
  }
  await createCursor(place, { streamId, name, offset }, facts)
  return offset
}
