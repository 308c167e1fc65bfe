/**
 * What is known of the contents of source files, in a file of the clone that may be deleted at any time. With it, an unchanged
 * file is known without reading it, and one that could not be parsed does not take its time again.
 */
import { readFileSync } from 'node:fs'
import { GriteError } from '../../model/index.ts'
import type { GritePaths } from '../local/paths.ts'
import { makeFolder, writeFileAtomically } from '../local/write-file-atomically.ts'
import { isLeftOut, type LeftOut } from './parse-messages.ts'

/** Git's id of a content; of a file that differs from git's index, the SHA-256 of its content. */
export type ContentKey = string

export interface KnownContent {
  /** SHA-256 in hex. */
  readonly hash: string
  /** Why it has no facts; null when it has. */
  readonly leftOut: LeftOut | null
}

/** One line each: the key, the hash, and perhaps the reason. A line of another form is skipped. */
const lineShape = /^([0-9a-f]{40}|[0-9a-f]{64}) ([0-9a-f]{64})(?: ([a-z-]+))?$/

export function readKnownContents({ contentHashes }: GritePaths): Map<ContentKey, KnownContent> {
  const known = new Map<ContentKey, KnownContent>()
  let text: string
  try {
    text = readFileSync(contentHashes, 'latin1')
  } catch {
    return known
  }
  for (const line of text.split('\n')) {
    const [, key, hash, reason] = lineShape.exec(line) ?? []
    if (key === undefined || hash === undefined) continue
    if (reason === undefined) known.set(key, { hash, leftOut: null })
    else if (isLeftOut(reason)) known.set(key, { hash, leftOut: reason })
  }
  return known
}

/** Without the file the contents are read again, so that a failure to write it is none of the command. */
export async function keepKnownContents(
  { home, contentHashes, permissions }: GritePaths,
  contents: ReadonlyMap<ContentKey, KnownContent>,
): Promise<void> {
  const lines = [...contents].map(
    ([key, { hash, leftOut }]) => `${key} ${hash}${leftOut === null ? '' : ` ${leftOut}`}\n`,
  )
  try {
    await makeFolder(home, permissions)
    await writeFileAtomically(contentHashes, lines.join(''), { permissions })
  } catch (error) {
    if (!(error instanceof GriteError)) throw error
  }
}
