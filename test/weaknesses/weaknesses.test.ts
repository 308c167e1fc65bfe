/** Known weaknesses of the Rust tool (compat spec, section 7) that must not occur here, and the tests that cover them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { faultsOfRow, type Row } from './rows.ts'

const rows: readonly Row[] = [
  {
    item: '7.1 item 1',
    weakness: 'pulled events never reach the issue list',
    tests: [
      { file: 'test/sync/sync.test.ts', title: '--pull only fetches and --push only pushes' },
      { file: 'test/sync/sync.test.ts', title: 'plain git fetch and push of the refs work as well' },
    ],
  },
  {
    item: '7.1 item 2',
    weakness: 'diverged logs cannot be reconciled',
    tests: [
      { file: 'test/sync/sync.test.ts', title: 'diverged clones converge with each event once' },
      { file: 'test/sync/init.test.ts', title: 'init joins earlier local events with the remote log' },
    ],
  },
  {
    item: '7.1 item 3',
    weakness: 'a failed append is reported as a success',
    tests: [
      {
        file: 'test/tracker/concurrency.test.ts',
        title: 'twelve first creates at once share one default actor',
      },
      { file: 'test/tracker/write-failures.test.ts', title: 'a write that the log rejects fails and leaves no issue' },
    ],
  },
  {
    item: '7.1 item 4',
    weakness: 'an append that loses a race is not retried',
    tests: [{ file: 'test/wal/append.test.ts', title: 'a lost race re-plans the batch on the new head' }],
  },
  {
    item: '7.1 item 5',
    weakness: 'a rebuild ignores the log, and doctor misses the difference',
    tests: [
      { file: 'test/view/rebuild.test.ts', title: 'a deleted view is rebuilt from the log' },
      {
        file: 'test/tracker/doctor/doctor.test.ts',
        title: 'only <check> reports <name>',
        row: 'a row missing from the view',
      },
    ],
  },
  {
    item: '7.1 item 6',
    weakness: 'a rebuild from a snapshot drops later events',
    tests: [
      { file: 'test/view/rebuild.test.ts', title: 'a rebuild from a snapshot keeps events outside the snapshot' },
      {
        file: 'test/view/snapshot-rebuild.test.ts',
        title: 'a rebuild uses the newest snapshot and only later commits',
      },
    ],
  },
  {
    item: '7.1 item 7',
    weakness: 'one unpushable lock ref makes every push fail',
    tests: [{ file: 'test/sync/locks.test.ts', title: 'an unpushable lock does not stop events from being pushed' }],
  },
  {
    item: '7.1 item 8',
    weakness: 'a fetch overwrites local refs without a check',
    tests: [
      { file: 'test/sync/joins.test.ts', title: 'a fetch leaves the local log unchanged until the join' },
      {
        file: 'test/long/hostile-remote.test.ts',
        title: 'a <kind> in place of the remote log is refused until repaired',
      },
      { file: 'test/long/hostile-remote.test.ts', title: '<title> hides no other event and loses none' },
      {
        file: 'test/view/damage.test.ts',
        title: '<title> hides no sound event and is reported once',
        row: 'a record with a wrong id',
      },
    ],
  },
  {
    item: '7.1 item 9',
    weakness: 'hashes, event ids and signatures are never verified',
    tests: [
      {
        file: 'test/view/damage.test.ts',
        title: '<title> hides no sound event and is reported once',
        row: 'a chunk with a wrong hash in its name',
      },
      {
        file: 'test/view/damage.test.ts',
        title: '<title> hides no sound event and is reported once',
        row: 'a record with a wrong id',
      },
      {
        file: 'test/tracker/doctor/doctor.test.ts',
        title: 'only <check> reports <name>',
        row: 'a commit with a wrong chunk hash',
      },
      { file: 'test/tracker/identity/signing.test.ts', title: 'nobody else can sign for an actor derived from a key' },
      {
        file: 'test/tracker/import/forged-export.test.ts',
        title: 'import skips an event whose id does not match its content',
      },
    ],
  },
  {
    item: '7.1 item 10',
    weakness: 'one unknown event makes the whole log unreadable',
    tests: [
      {
        file: 'test/view/damage.test.ts',
        title: '<title> hides no sound event and is reported once',
        row: 'a record of an unknown kind',
      },
      {
        file: 'test/tracker/doctor/damaged-log.test.ts',
        title: 'doctor --fix reports a damaged log and does not change it',
      },
    ],
  },
  {
    item: '7.1 item 11',
    weakness: 'reading a chunk reverses its events',
    tests: [{ file: 'test/sync/joins.test.ts', title: 'events keep their order through a join and a snapshot' }],
  },
  {
    item: '7.1 item 12',
    weakness: 'objects, refs and settings are not written durably',
    tests: [
      { file: 'test/tracker/durability.test.ts', title: 'issue create flushes its objects and ref before it answers' },
      {
        file: 'test/tracker/durability.test.ts',
        title: 'configurations and exports are replaced, never written in place',
      },
    ],
  },
  {
    item: '7.1 item 13',
    weakness: 'deleted snapshots and locks return with the next pull',
    tests: [
      { file: 'test/sync/snapshots.test.ts', title: 'a deleted snapshot is deleted everywhere and does not return' },
      { file: 'test/sync/locks.test.ts', title: 'a deleted lock does not return with a sync' },
    ],
  },
  {
    item: '7.1 item 14',
    weakness: 'a rejected push exits with status 0',
    tests: [{ file: 'test/sync/sync.test.ts', title: 'a rejected push is an error that keeps pulled events' }],
  },
  {
    item: '7.1 item 15',
    weakness: 'every pull re-reads the whole history',
    tests: [
      { file: 'test/sync/joins.test.ts', title: 'a sync reads only new events, not older history' },
      { file: 'test/wal/issue-log/read-cost.test.ts', title: 'all events of one commit are read with four lookups' },
    ],
  },
  {
    item: '7.1 item 16',
    weakness: 'each event costs eight objects, which are never packed',
    tests: [
      {
        file: 'test/tracker/object-count.test.ts',
        title: 'a batch of a hundred events adds one commit and eight objects',
      },
      {
        file: 'test/tracker/doctor/doctor.test.ts',
        title: 'only <check> reports <name>',
        row: 'too many loose objects',
      },
      {
        file: 'test/tracker/sync/maintenance.test.ts',
        title: 'an import starts maintenance in the background',
      },
    ],
  },
  {
    item: '7.1 item 18',
    weakness: 'bare repositories, separate git directories and GIT_DIR do not work',
    tests: [
      { file: 'test/long/sync-settings.test.ts', title: '<title> with <format> syncs both ways', row: 'a bare clone' },
      { file: 'test/long/sync-settings.test.ts', title: '<title> with <format> syncs both ways', row: 'a submodule' },
      {
        file: 'test/long/sync-settings.test.ts',
        title: '<title> with <format> syncs both ways',
        row: 'a repository that GIT_DIR names',
      },
    ],
  },
  {
    item: '7.2 item 19',
    weakness: 'one event can make every rebuild fail',
    tests: [
      { file: 'test/commands/issue/dependency-edges.test.ts', title: 'dep add and dep remove refuse a missing issue' },
      { file: 'test/view/rebuild.test.ts', title: 'no event in the log hides other issues from the view' },
    ],
  },
  {
    item: '7.2 item 20',
    weakness: 'the projection depends on order and repetition',
    tests: [
      { file: 'test/model/projection.test.ts', title: 'arrival order and copies change no projection' },
      {
        file: 'test/view/properties.test.ts',
        title: 'arrival order, duplicates and partition change nothing in the store',
      },
      { file: 'test/conformance/view.ts', title: 'applies a repeated event only once' },
    ],
  },
  {
    item: '7.2 item 21',
    weakness: 'clocks alone decide which change wins',
    tests: [
      {
        file: 'test/view/rebuild.test.ts',
        title: 'a change in the millisecond of the creation counts',
      },
      { file: 'test/wal/clock.test.ts', title: 'an event is dated after its issue when the clock is behind' },
      { file: 'test/wal/clock.test.ts', title: 'events of one batch have increasing times in plan order' },
      { file: 'test/wal/clock.test.ts', title: 'an event is dated again after a lost race' },
      {
        file: 'test/tracker/doctor/doctor.test.ts',
        title: 'only <check> reports <name>',
        row: 'an event dated two days ahead',
      },
    ],
  },
  {
    item: '7.2 item 22',
    weakness: 'concurrent writes lose updates in the view',
    tests: [
      { file: 'test/tracker/concurrency.test.ts', title: 'labels added concurrently all reach view and log' },
      {
        file: 'test/view/apply-cost.test.ts',
        title: 'an event, its projection, indexes and head are written in one batch',
      },
    ],
  },
  {
    item: '7.2 item 24',
    weakness: 'a rebuild leaves stale index entries',
    tests: [{ file: 'test/view/rebuild.test.ts', title: 'a rebuild removes stale entries, from a snapshot too' }],
  },
  {
    item: '7.2 item 25',
    weakness: 'changes, lists and sorts cost far more than linear work',
    tests: [
      { file: 'test/view/apply-cost.test.ts', title: 'the cost of a comment does not grow with their number' },
      { file: 'test/view/apply-cost.test.ts', title: 'listing by label reads only the issues with that label' },
      { file: 'test/view/apply-cost.test.ts', title: 're-indexing a file touches only its own symbols' },
      { file: 'test/model/dependencies/sort-cost.test.ts', title: 'sorting a dependency cycle takes linear time' },
    ],
  },
  {
    item: '7.2 item 26',
    weakness: 'dependency order is wrong, random and blind to some cycles',
    tests: [
      {
        file: 'test/commands/issue/dependency-edges.test.ts',
        title: 'dep topo lists blockers first and has a stable order',
      },
      { file: 'test/commands/issue/dependency-edges.test.ts', title: 'a cycle is detected across both edge types' },
    ],
  },
  {
    item: '7.3 item 28',
    weakness: 'two clones can hold one lock',
    tests: [
      { file: 'test/tracker/claims/shared.test.ts', title: 'a remote lock excludes all clones until its release' },
      {
        file: 'test/tracker/claims/shared.test.ts',
        title: 'one of two local claims stands after both clones sync',
      },
    ],
  },
  {
    item: '7.3 item 29',
    weakness: 'taking over, renewing and collecting locks race',
    tests: [
      { file: 'test/tracker/locks/lock-conflicts.test.ts', title: 'only one of two actors takes over an expired lock' },
      {
        file: 'test/tracker/locks/lock-conflicts.test.ts',
        title: 'renew and release keep a lock taken by another actor',
      },
      {
        file: 'test/tracker/locks/lock-conflicts.test.ts',
        title: 'lock gc keeps a lock that was re-acquired since its listing',
      },
    ],
  },
  {
    item: '7.3 item 30',
    weakness: 'overlapping locks are granted',
    tests: [
      {
        file: 'test/tracker/locks/lock.test.ts',
        title: 'overlapping locks of another actor are refused until they expire',
      },
      { file: 'test/model/lock.test.ts', title: '<left> and <right> <overlap>' },
    ],
  },
  {
    item: '7.3 item 31',
    weakness: 'acquiring a held lock again does not extend it',
    tests: [
      { file: 'test/tracker/locks/lock.test.ts', title: 're-acquiring extends a lock and keeps nonce and fence' },
    ],
  },
  {
    item: '7.3 item 32',
    weakness: 'many commands bypass the lock policy and --lock',
    tests: [
      {
        file: 'test/tracker/locks/lock-conflicts.test.ts',
        title: 'the lock policy covers every write to a locked issue',
      },
      {
        file: 'test/tracker/locks/lock-conflicts.test.ts',
        title: 'a repository lock blocks snapshots, saved queries and syncs',
      },
      { file: 'test/tracker/locks/lock-conflicts.test.ts', title: '--lock holds the issue lock only during the write' },
    ],
  },
  {
    item: '7.3 item 33',
    weakness: 'any lock blocks every creation and push',
    tests: [
      { file: 'test/tracker/locks/lock-guard.test.ts', title: 'a lock on one resource blocks no other writes' },
      {
        file: 'test/tracker/locks/lock-guard.test.ts',
        title: 'a repository lock blocks pushing, not fetching',
      },
    ],
  },
  {
    item: '7.3 item 34',
    weakness: 'a prefix and the full id name different locks',
    tests: [
      { file: 'test/tracker/locks/lock.test.ts', title: 'an issue lock is named by the full id' },
      { file: 'test/tracker/locks/lock-guard.test.ts', title: '--lock fails on a foreign lock under any policy' },
    ],
  },
  {
    item: '7.3 item 35',
    weakness: 'one malformed lock ref fails every write',
    tests: [
      { file: 'test/tracker/locks/lock-conflicts.test.ts', title: 'an unreadable lock blocks no other resource' },
    ],
  },
  {
    item: '7.3 item 36',
    weakness: 'a long lease overflows',
    tests: [{ file: 'test/tracker/locks/lock.test.ts', title: 'an invalid --ttl is refused and writes no lock' }],
  },
  {
    item: '7.4 item 46',
    weakness: 'titles reach the terminal with their control characters',
    tests: [{ file: 'test/contract/human.test.ts', title: 'no command prints control characters from an issue' }],
  },
  {
    item: '7.4 item 47',
    weakness: 'export --since selects by the order of hashes',
    tests: [
      { file: 'test/tracker/export/since.test.ts', title: 'export --since returns only later events, in every format' },
    ],
  },
  {
    item: '7.4 item 48',
    weakness: 'settings are overwritten and actors created without need',
    tests: [
      {
        file: 'test/tracker/identity/actor-settings.test.ts',
        title: 'init and the first write keep existing settings',
      },
      { file: 'test/tracker/identity/actor-settings.test.ts', title: 'an actor is selected by id, never by path' },
      { file: 'test/tracker/identity/actor-settings.test.ts', title: 'read-only commands create no actor' },
    ],
  },
  {
    item: '7.4 item 49',
    weakness: 'doctor --fix claims repairs and deletes old databases',
    tests: [
      {
        file: 'test/tracker/doctor/damaged-log.test.ts',
        title: 'doctor --fix reports a damaged log and does not change it',
      },
      {
        file: 'test/tracker/doctor/doctor.test.ts',
        title: 'only <check> reports <name>',
        row: 'a database of the Rust tool for an actor',
      },
    ],
  },
  {
    item: '7.4 item 50',
    weakness: 'parallel commands fail because the store is busy',
    tests: [
      {
        file: 'test/tracker/concurrency.test.ts',
        title: 'concurrent processes wait for each other and for a view in use',
      },
    ],
  },
  {
    item: '7.4 item 51',
    weakness: 'misspelt, empty and oversized values are accepted',
    tests: [
      {
        file: 'test/commands/refused-input.test.ts',
        title: 'misspelt, empty and oversized values are refused before any write',
      },
    ],
  },
  {
    item: '7.4 item 53',
    weakness: 'people read raw JSON and cannot filter a list',
    tests: [
      {
        file: 'test/commands/readable-output.test.ts',
        title: 'issue show prints text, and lists can be filtered, sorted and limited',
      },
    ],
  },
  {
    item: '7.5 item 54',
    weakness: 'most commands never sign',
    tests: [
      { file: 'test/tracker/identity/signing.test.ts', title: 'an actor with a key signs every event it writes' },
    ],
  },
  {
    item: '7.5 item 55',
    weakness: 'public keys stay local and bind no actor',
    tests: [
      { file: 'test/tracker/identity/signing.test.ts', title: 'public keys travel with the log to other clones' },
      { file: 'test/tracker/identity/signing.test.ts', title: 'nobody else can sign for an actor derived from a key' },
    ],
  },
  {
    item: '7.5 item 56',
    weakness: 'db verify counts unsigned events as errors',
    tests: [
      {
        file: 'test/tracker/identity/signing.test.ts',
        title: 'db verify counts events of keyless actors as unsigned, not wrong',
      },
    ],
  },
]

/**
 * Items of section 7 that need a test. Left out are the daemon (37-45), the context store (23) and the claims of the
 * documents (57-60).
 */
const required = ['1-16', '19-22', '24-26', '28-35', '46-51', '54-55']
/** Untidy rather than wrong in the Rust tool; cheap to test. */
const optional = ['18', '36', '53', '56']

/** Last item of each section. */
const sectionEnds = { '7.1': 18, '7.2': 27, '7.3': 36, '7.4': 53, '7.5': 56 }

function itemsOf(ranges: readonly string[]): string[] {
  return ranges.flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, index) => nameOf(first + index))
  })
}

function nameOf(number: number): string {
  const [section] = Object.entries(sectionEnds).find(([, end]) => number <= end) ?? []
  return `${section} item ${number}`
}

test('the table has one row for every weakness that needs a test', () => {
  assert.deepEqual(rows.map(({ item }) => item).sort(), itemsOf([...required, ...optional]).sort())
})

test('every weakness in the table names tests that exist', () => {
  assert.deepEqual(rows.flatMap(faultsOfRow), [])
})
