import type { Readable } from 'node:stream'
import { bareCommitOf, listCommitsInProcess } from '../list-commits.ts'
import { hashObject } from '../object-codec.ts'
import type { BareCommit, ListCommitsOptions, Oid } from '../port.ts'
import { noLazyFetch } from '../run-git.ts'
import { metadataBytesMax } from '../walk-history.ts'
import { createBatchParser } from './batch-parser.ts'
import type { HistorySource } from './history.ts'

/**
 * Lists commits at the speed of git: `rev-list` names them as it walks, `cat-file` reads them directly from it, and
 * both block while their pipes are full. Where git stops at an unreadable commit, the rest is walked object by object.
 */
export async function* listCommitsNatively(
  { git, format, readOne, reads }: Pick<HistorySource, 'git' | 'format' | 'readOne' | 'reads'>,
  options: ListCommitsOptions,
  shallow: ReadonlySet<Oid>,
): AsyncGenerator<readonly BareCommit[]> {
  const emitted = new Set<Oid>()
  let rows: BareCommit[] = []
  const take = (row: BareCommit) => {
    emitted.add(row.oid)
    rows.push(row)
  }
  const parser = createBatchParser(format, {
    contentMax: (type) => (type === 'commit' ? metadataBytesMax : 0),
    found(oid, type, content) {
      take(bareCommitOf(oid, hashObject(format, type, content) === oid ? content : 'corrupt', shallow))
    },
    tooLarge: (oid) => take(bareCommitOf(oid, 'too-large', shallow)),
    missing: (oid) => take(bareCommitOf(oid, 'missing', shallow)),
  })
  // A commit known only to the commit-graph is missing.
  const list = await git.start(['-c', 'core.commitGraph=false', 'rev-list', '--stdin'], { environment: noLazyFetch })
  reads.watch(list.child)
  const ids = list.child.stdout as Readable
  const read = await git.start(['cat-file', '--batch', '--buffer'], { stdin: ids, environment: noLazyFetch })
  reads.watch(read.child)
  // Our copy of the reading end would keep rev-list from noticing that cat-file is gone.
  ids.destroy()
  list.child.stdin?.on('error', () => {})
  const { head, exclude = [] } = options
  list.child.stdin?.end([head, ...exclude.map((oid) => `^${oid}`), ''].join('\n'))
  try {
    for await (const chunk of read.child.stdout as Readable) {
      parser.push(chunk)
      if (rows.length === 0) continue
      yield rows
      rows = []
    }
    const ends = await Promise.all([list.ended, read.ended])
    if (ends.every(({ exitStatus }) => exitStatus === 0)) return
  } finally {
    list.child.kill()
    read.child.kill()
  }
  reads.requireGoing()
  yield* listCommitsInProcess(readOne, options, { shallow, reads, skip: emitted })
}
