/**
 * The record of a file that is gone. The format has no such kind, so it is a record without symbols whose content hash is zero, which
 * no content has; the other program shows its summary.
 */
import type { EventBodyOf } from '../event-kinds.ts'
import type { Sha256Hex } from '../ids.ts'

const noContent = '0'.repeat(64) as Sha256Hex

export function removedFile(path: string): EventBodyOf<'ContextUpdated'> {
  return {
    type: 'ContextUpdated',
    path,
    language: 'removed',
    symbols: [],
    summary: 'removed file',
    content_hash: noContent,
  }
}

export function isRemovedFile({ content_hash, symbols }: EventBodyOf<'ContextUpdated'>): boolean {
  return content_hash === noContent && symbols.length === 0
}
