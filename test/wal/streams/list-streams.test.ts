import assert from 'node:assert/strict'
import { it } from 'node:test'
import { newTemporaryPath, privatePermissions } from '../../../src/git/index.ts'
import { loadCrc } from '../../../src/wal/streams/crc32c.ts'
import { type JournalDisk, nodeJournalDisk } from '../../../src/wal/streams/journal/index.ts'
import { listStreams } from '../../../src/wal/streams/list-streams.ts'
import { cloneA, createMemoryRepository, creation, draft, id, local } from './store-setup.ts'

it('lists the folder of journals once, however many streams are not in the cache', async (t) => {
  const { open, git, folder, clock } = createMemoryRepository(t)
  const store = open()
  const names = ['a', 'b', 'c', 'd'].map(id)
  for (const name of names) {
    await store.create(name, creation)
    await store.append(name, [draft('one'), draft('two')], local)
  }
  let lists = 0
  const disk: JournalDisk = {
    ...nodeJournalDisk,
    list: (path) => {
      lists++
      return nodeJournalDisk.list(path)
    },
  }
  const crc32c = await loadCrc()
  const permissions = privatePermissions
  const found = await listStreams(
    {
      place: {
        ...{ git, folder, permissions, clock, cloneId: async () => cloneA },
        ...{ random: () => new Uint8Array(0), warn: () => {} },
      },
      reader: store.reader,
      journalPlaceOf: (encodedId, generation) => ({
        ...{ folder, encodedId, generation, permissions, disk, crc32c },
        newTemporaryPath: () => newTemporaryPath(git.layout),
      }),
    },
    {},
  )
  assert.deepEqual(new Set(found.map(({ streamId }) => streamId)), new Set(names))
  assert.deepEqual(
    found.map(({ nextOffset }) => nextOffset),
    [2, 2, 2, 2],
  )
  assert.equal(lists, 1)
})
