import { closeSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { endWhenSilent, estimateWalkMs } from './native/end-when-silent.ts'
import { createExportParser } from './native/export-parser.ts'
import { GrowingFile, openScratchFile, roomBytes, scratchBytesMax } from './native/scratch-file.ts'
import type { CommitFile, GitPort, Oid, ReadHistoryOptions } from './port.ts'
import { createPortContext, type PortContext } from './port-context.ts'
import { noLazyFetch } from './run-git.ts'

/** A commit with the names of its files; no file is read. */
export interface ListedCommit {
  readonly oid: Oid
  readonly files: readonly Pick<CommitFile, 'path' | 'mode' | 'oid'>[]
}

/** Maximum output of git for one commit. Larger trees need a reader with bounds. */
const commitBytesMax = 4 * 1024 * 1024

/**
 * Lists the files of every commit reachable from a head, parents before children, without reading a blob: a tenth of
 * the time of a rebuild. It does not show missing, damaged or too large blobs.
 *
 * @returns false when the history cannot be listed completely this way; the entries before are still right
 */
export async function* listHistory(
  { layout, environment }: GitPort,
  head: Oid,
  { mayUseFile = false }: Pick<ReadHistoryOptions, 'mayUseFile'> = {},
): AsyncGenerator<readonly ListedCommit[], boolean> {
  const context = createPortContext(layout, { environment })
  const scratch = mayUseFile ? await openScratchFile(context) : null
  try {
    return yield* listThrough(scratch, context, head)
  } finally {
    if (scratch !== null) closeSync(scratch)
  }
}

/** @param scratch - a file that git writes, so that it does not wait for a busy reader; null for a pipe */
async function* listThrough(
  scratch: number | null,
  { layout, git }: PortContext,
  head: Oid,
): AsyncGenerator<readonly ListedCommit[], boolean> {
  const exported = await git.start([...listArguments, head], {
    environment: noLazyFetch,
    stdin: 'ignore',
    stdout: scratch ?? undefined,
  })
  const file = scratch === null ? null : new GrowingFile(scratch)
  const parser = createExportParser(layout.objectFormat, 0)
  const watched = endWhenSilent(exported, {
    ...(file === null ? {} : { isWaiting: () => file.isWaiting }),
    walkMs: estimateWalkMs(layout.objectDir),
  })
  let newest: Oid | undefined
  let bytes = 0
  let openBytes = 0
  try {
    for await (const chunk of file?.read(exported.ended) ?? (exported.child.stdout as Readable)) {
      watched.heard()
      parser.push(chunk, file === null ? 0 : roomBytes)
      const commits = parser.take().map(({ entry }) => entry)
      bytes += chunk.length
      openBytes = commits.length > 0 ? 0 : openBytes + chunk.length
      if (openBytes > commitBytesMax || bytes > scratchBytesMax || parser.isUnusual()) return false
      newest = commits.at(-1)?.oid ?? newest
      if (commits.length > 0) yield commits
    }
    return (await exported.ended).exitStatus === 0 && newest === head
  } finally {
    watched.stop()
    exported.child.kill()
  }
}

const listArguments = [
  // Paths as bytes, except for quotes and control characters.
  ...['-c', 'core.quotePath=false', 'fast-export', '--no-data', '--full-tree', '--show-original-ids'],
  '--reencode=no',
]
