/**
 * Known weaknesses of another engine of streams that must not occur here, and the tests that show their absence. Left out are
 * parts that do not exist here: elections and leases (10.2 rows 18-21), derived tables (22-23, 10.3 rows 10-11 and 14-24),
 * repairs that cannot succeed (25), and proofs that erase data (27).
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { faultsOfRow, type Row } from './rows.ts'

const rows: readonly Row[] = [
  {
    item: '10.2.1',
    weakness: 'a crash while a segment is rolled makes the stream unrecoverable',
    tests: [
      {
        file: 'test/wal/streams/killed-acts.ts',
        title: '<name> killed at any step loses, doubles and invents no record',
      },
    ],
  },
  {
    item: '10.2.2',
    weakness: 'an open without recovery gives two records one offset',
    tests: [
      { file: 'test/wal/streams/stream-store.test.ts', title: 'another process goes on where a killed one stopped' },
      {
        file: 'test/wal/streams/journal/journal-histories.test.ts',
        title: 'no history of writers, faults and crashes loses a record',
      },
    ],
  },
  {
    item: '10.2.3',
    weakness: 'a publish beside appends reuses offsets',
    tests: [
      { file: 'test/wal/streams/remote.test.ts', title: 'appends go on while the stream is sealed and published' },
    ],
  },
  {
    item: '10.2.4',
    weakness: 'two processes share a folder without a lock',
    tests: [
      { file: 'test/wal/streams/journal/journal-writer.test.ts', title: 'a second writer goes on behind the first' },
      {
        file: 'test/long/streams-at-once.test.ts',
        title: 'a daemon, commands without it and a library lose no append to one stream',
      },
    ],
  },
  {
    item: '10.2.5',
    weakness: 'a part of a batch stands',
    tests: [
      {
        file: 'test/wal/streams/journal/read-journals.test.ts',
        title: 'every cut of the last file leaves whole batches',
      },
    ],
  },
  {
    item: '10.2.6',
    weakness: 'a root covers local paths, so that a restored copy fails its checks',
    tests: [
      {
        file: 'test/wal/streams/remote.test.ts',
        title: 'a restored stream has the root and the checkpoints of the original, retained or not',
      },
    ],
  },
  {
    item: '10.2.7',
    weakness: 'each publication uploads the whole history',
    tests: [
      {
        file: 'test/wal/streams/full-disk.test.ts',
        title: 'a publish adds five small objects to the remote, however long the stream is',
      },
    ],
  },
  {
    item: '10.2.8',
    weakness: 'a publication that uploads nothing reports success',
    tests: [
      { file: 'test/commands/stream/remote.test.ts', title: 'streams are published, followed, restored and rescued' },
    ],
  },
  {
    item: '10.2.9',
    weakness: 'a stream that retention has trimmed cannot be restored',
    tests: [
      {
        file: 'test/wal/streams/remote.test.ts',
        title: 'a restored stream has the root and the checkpoints of the original, retained or not',
      },
    ],
  },
  {
    item: '10.2.10',
    weakness: 'retention deletes what branches inherit',
    tests: [
      {
        file: 'test/wal/streams/acts.test.ts',
        title: 'drops whole segments, keeps offsets and roots, and leaves branches as they are',
      },
    ],
  },
  {
    item: '10.2.11',
    weakness: 'a crash in a creation breaks the list, and two creations race',
    tests: [
      {
        file: 'test/wal/streams/killed-acts.ts',
        title: '<name> killed at any step loses, doubles and invents no record',
      },
      { file: 'test/wal/streams/stream-store.test.ts', title: 'of two that create a stream at once, one does' },
    ],
  },
  {
    item: '10.2.12',
    weakness: 'several ids share one folder',
    tests: [{ file: 'test/long/stream-ids.test.ts', title: 'every id names a stream of its own, and nothing else' }],
  },
  {
    item: '10.2.13',
    weakness: 'several names are one cursor',
    tests: [
      {
        file: 'test/wal/streams/cursors.test.ts',
        title: 'cursors of like names are apart, and the farthest of advances at once stays',
      },
    ],
  },
  {
    item: '10.2.14',
    weakness: 'a cursor moves back when two advance it',
    tests: [
      {
        file: 'test/wal/streams/cursors.test.ts',
        title: 'cursors of like names are apart, and the farthest of advances at once stays',
      },
    ],
  },
  {
    item: '10.2.15',
    weakness: 'an id that is used again has the old cursors',
    tests: [
      {
        file: 'test/wal/streams/cursors.test.ts',
        title: 'a new stream of the same id has none of the cursors of the deleted one',
      },
    ],
  },
  {
    item: '10.2.16',
    weakness: 'a checkpoint is valid only until the next roll',
    tests: [{ file: 'test/wal/streams/acts.test.ts', title: 'stay valid after seals, merges and retention' }],
  },
  {
    item: '10.2.17',
    weakness: 'the durability is the one configured',
    tests: [
      { file: 'test/commands/stream/remote.test.ts', title: 'streams are published, followed, restored and rescued' },
      { file: 'test/wal/streams/journal/journal-writer.test.ts', title: 'level memory writes without a flush' },
    ],
  },
  {
    item: '10.2.24',
    weakness: 'policies of merges are decoration',
    tests: [
      {
        file: 'test/wal/streams/merge.test.ts',
        title: 'holds what each policy says, and keeps its sources as parents',
      },
      { file: 'test/wal/streams/merge.test.ts', title: 'refuses what cannot be meant' },
    ],
  },
  {
    item: '10.2.26',
    weakness: 'a failed verification exits with 0',
    tests: [
      {
        file: 'test/long/streams-partial.test.ts',
        title: 'a stream that was cut off by a shallow fetch says so, and is completed by a fetch',
      },
    ],
  },
  {
    item: '10.3.1',
    weakness: 'several flushes for each record',
    tests: [
      { file: 'test/wal/streams/journal/journal-writer.test.ts', title: 'an append is one write, one flush, one read' },
    ],
  },
  {
    item: '10.3.2',
    weakness: 'no group commit',
    tests: [
      {
        file: 'test/wal/streams/journal/grouped-appends.test.ts',
        title: 'appends of one turn share a write and a flush',
      },
    ],
  },
  {
    item: '10.3.3',
    weakness: 'bytes are stored as lists of numbers',
    tests: [{ file: 'test/model/streams/record.test.ts', title: 'a record has the documented bytes' }],
  },
  {
    item: '10.3.4',
    weakness: 'each roll writes all segments again',
    tests: [
      {
        file: 'test/wal/streams/full-disk.test.ts',
        title: 'a publish adds five small objects to the remote, however long the stream is',
      },
    ],
  },
  {
    item: '10.3.5',
    weakness: 'each read parses the whole active file',
    tests: [
      {
        file: 'test/wal/streams/journal/read-journals.test.ts',
        title: 'a part of the records is read from an offset on',
      },
    ],
  },
  {
    item: '10.3.6',
    weakness: 'a poll replays all history',
    tests: [{ file: 'test/wal/streams/stream-store.test.ts', title: 'follows appends of this process and of others' }],
  },
  {
    item: '10.3.7',
    weakness: 'a page of a branch reads all its ancestors',
    tests: [{ file: 'test/wal/streams/adopted-rows.test.ts', title: 'reads branches and rows a thousand deep' }],
  },
  {
    item: '10.3.9',
    weakness: 'a list reads two files of each stream',
    tests: [
      {
        file: 'test/wal/streams/stream-store.test.ts',
        title: 'lists streams with what their journals hold, by cache and without',
      },
    ],
  },
  {
    item: '10.3.12',
    weakness: 'a connection and a thread for each request',
    tests: [
      { file: 'test/daemon/streams.test.ts', title: 'a tail pushes what the credit allows, and goes on with more' },
    ],
  },
  {
    item: '10.3.13',
    weakness: 'a tail polls',
    tests: [
      {
        file: 'test/daemon/streams.test.ts',
        title: 'a tail begins at the end, and has the records of other processes',
      },
    ],
  },
  {
    item: '10.3.23',
    weakness: 'a producer waits for each line',
    tests: [
      {
        file: 'test/tracker/streams/send-records.test.ts',
        title: 'records are appended in order, gathered while an append is under way',
      },
    ],
  },
  {
    item: '10.4.1',
    weakness: 'stored and received data bypasses checks',
    tests: [
      {
        file: 'test/model/streams/manifest.test.ts',
        title: 'altered bytes are a canonical manifest or a format error',
      },
      { file: 'test/ipc/stream-frames.test.ts', title: 'a wrong frame is refused' },
    ],
  },
  {
    item: '10.4.2',
    weakness: 'an id leads out of the folder',
    tests: [{ file: 'test/long/stream-ids.test.ts', title: 'every id names a stream of its own, and nothing else' }],
  },
  {
    item: '10.4.3',
    weakness: 'requests and sessions are unbounded',
    tests: [
      { file: 'test/daemon/streams.test.ts', title: 'tails expire, and their number is limited' },
      { file: 'test/model/streams/journal-frame.test.ts', title: 'a frame above 16 MiB is refused' },
    ],
  },
  {
    item: '10.4.5',
    weakness: 'two pollers of a session get duplicates',
    tests: [
      { file: 'test/daemon/streams.test.ts', title: 'a tail pushes what the credit allows, and goes on with more' },
    ],
  },
  {
    item: '10.4.7',
    weakness: 'one failure ends all later appends',
    tests: [
      {
        file: 'test/wal/streams/journal/grouped-appends.test.ts',
        title: 'a failed group rejects its requests, and the next one goes on',
      },
    ],
  },
]

test('every weakness of streams in the table names tests that exist', () => {
  assert.deepEqual(rows.flatMap(faultsOfRow), [])
})
