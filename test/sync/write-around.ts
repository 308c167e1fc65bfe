import type { Oid } from '../../src/git/index.ts'
import { walRef } from '../../src/wal/index.ts'
import { batchOf, creation, issueId, writeBatch, writeCommit } from '../support/log.ts'
import type { Clones } from './clones.ts'

/** Sets the remote's log to a commit with the given chunk, between two sound commits. */
export async function writeAround(setup: Clones, chunk: Oid | Uint8Array, name: string): Promise<void> {
  const head = await setup.onOrigin(async (git) => {
    const before = await writeBatch(git, batchOf([creation(issueId('aa'), 'before')]), null)
    const meta = { schema_version: 1, actor_id: '0a'.repeat(16), chunk_hash: name, prev_wal: before }
    const files = new Map<string, Oid | Uint8Array>([
      ['meta.json', Buffer.from(JSON.stringify(meta))],
      [`events/2023/11/14/${name}.bin`, chunk],
    ])
    return writeBatch(git, batchOf([creation(issueId('ac'), 'after')]), await writeCommit(git, files, [before]))
  })
  setup.inOrigin('update-ref', walRef, head)
}
