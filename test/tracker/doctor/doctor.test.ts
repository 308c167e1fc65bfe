/** Breaks one thing per case and asserts that exactly its check fails. */
import assert from 'node:assert/strict'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { currentOwner, formatOwner, type Oid, type RefName } from '../../../src/git/index.ts'
import type { IssueId } from '../../../src/model/index.ts'
import { parseStreamId, streamRefPrefix } from '../../../src/model/streams/index.ts'
import { checks } from '../../../src/tracker/doctor/checks.ts'
import { eventKey, issueRowKey, metaKey } from '../../../src/view/keys.ts'
import { leaseRefOf, lockPrefix, lockRefOf, snapshotPrefix, trackingRef, walRef } from '../../../src/wal/index.ts'
import { refOfStream } from '../../../src/wal/streams/stream-refs.ts'
import { boundActor, cardEvent, signed, signerOf } from '../../support/cards.ts'
import { batchOf, comment, filesOf, makeEvent, writeCommit } from '../../support/log.ts'
import { createManyStreams } from '../../support/many-streams.ts'
import { createRepositoryCopies, diagnose, leave, listing, type RepositoryCopy } from './broken-repository.ts'

const { prepare, newCopy } = createRepositoryCopies({ after })
before(prepare)

const dayMs = 86_400_000
/** A dead owner: its pid has a different start time. */
const deadOwner = formatOwner({ ...currentOwner(), startTime: '1' })

interface Case {
  readonly name: string
  readonly check: string
  readonly status: 'warn' | 'error'
  readonly damage: (copy: RepositoryCopy) => unknown
  readonly message: RegExp
  /** Fix that `--fix` reports, after which all checks pass; null when it has none. */
  readonly fixed: string | null
  readonly env?: (copy: RepositoryCopy) => Readonly<Record<string, string>>
}

const cases: readonly Case[] = [
  {
    name: 'an old git',
    check: 'git_version',
    status: 'error',
    damage({ dir, environment }) {
      const real = environment.PATH?.split(':').find((folder) => existsSync(join(folder, 'git')))
      mkdirSync(join(dir, 'old'), { recursive: true })
      const script = `#!/bin/sh\n[ "$1" = version ] && { echo 'git version 2.29.9'; exit; }\nexec '${real}/git' "$@"\n`
      writeFileSync(join(dir, 'old/git'), script, { mode: 0o755 })
    },
    env: ({ dir, environment }) => ({ ...environment, PATH: `${join(dir, 'old')}:${environment.PATH}` }),
    message: /2\.29\.9 is too old/,
    fixed: null,
  },
  {
    name: 'malformed settings',
    check: 'config',
    status: 'error',
    damage: ({ gitDir }) => writeFileSync(join(gitDir, 'grite/config.toml'), 'lock_policy = \n'),
    message: /config\.toml, line 1/,
    fixed: null,
  },
  {
    name: 'a ref that holds no object id',
    check: 'wal_ref',
    status: 'error',
    damage: ({ gitDir }) => writeFileSync(join(gitDir, walRef), 'nonsense\n'),
    message: /does not hold an object id/,
    fixed: 'restored events that the log had lost',
  },
  {
    name: 'a ref that names a file in place of the log',
    check: 'wal_ref',
    status: 'warn',
    damage({ gitDir, gitWith, path }) {
      writeFileSync(join(gitDir, walRef), `${gitWith('text', path, 'hash-object', '-w', '--stdin')}\n`)
    },
    message: /points to a blob: [0-9a-f]{40}: the log has lost events/,
    fixed: 'restored events that the log had lost',
  },
  {
    name: 'a log that was moved back',
    check: 'wal_ref',
    status: 'warn',
    damage: ({ inside }) => inside('update-ref', walRef, `${walRef}~1`),
    message: /the log has lost events/,
    fixed: 'restored events that the log had lost',
  },
  {
    name: 'a log that was deleted',
    check: 'wal_ref',
    status: 'warn',
    damage: ({ inside }) => inside('update-ref', '-d', walRef),
    message: /the log has lost events/,
    fixed: 'restored events that the log had lost',
  },
  {
    name: 'a missing chunk',
    check: 'log_gaps',
    status: 'error',
    damage: removeChunk,
    message: /^the log is incomplete here: chunk [0-9a-f]{40} is missing$/,
    fixed: 'fetched missing parts of the log',
  },
  {
    name: 'a log without its newest commit',
    check: 'wal_ref',
    status: 'error',
    async damage(copy) {
      // The remote lacks this commit.
      const newest = await copy.append(comment(copy.issues.one as IssueId, 'newest'))
      rmSync(objectFile(copy.gitDir, newest))
    },
    message: /an object that is missing here: [0-9a-f]{40}$/,
    fixed: 'restored events that the log had lost',
  },
  {
    name: 'a lock with an empty commit object',
    check: 'unread_refs',
    status: 'error',
    async damage({ run, gitDir, inside }) {
      await run('lock acquire', { resource: 'path:docs', ttl: '1h' })
      const file = objectFile(gitDir, inside('for-each-ref', '--format=%(objectname)', lockPrefix))
      chmodSync(file, 0o644)
      writeFileSync(file, '')
    },
    message: /^1 ref points to an unreadable object: refs\/grite\/locks\//,
    fixed: 'deleted 1 ref with an unreadable target',
  },
  {
    name: 'a commit with a wrong chunk hash',
    check: 'log_integrity',
    status: 'warn',
    damage: misname,
    message: /1 stated fact is wrong: [0-9a-f]{40}/,
    fixed: null,
  },
  {
    name: 'an event twice in the log',
    check: 'repeated_events',
    status: 'warn',
    async damage(copy) {
      const event = comment(copy.issues.one as IssueId, 'again')
      await copy.append(event)
      await copy.append(event)
    },
    message: /^1 duplicate event in the log/,
    fixed: null,
  },
  {
    name: 'an event dated two days ahead',
    check: 'future_events',
    status: 'warn',
    damage: ({ as, issues }) =>
      as({ nowUnixMs: () => Date.now() + 2 * dayMs }).run('issue comment', { issue: issues.one, body: 'early' }),
    message: /^1 event is dated more than a day ahead/,
    fixed: null,
  },
  {
    name: 'fetched events that were not merged',
    check: 'remote_divergence',
    status: 'warn',
    async damage(copy) {
      const before = copy.inside('rev-parse', walRef)
      const theirs = await copy.append(comment(copy.issues.two as IssueId, 'theirs'))
      copy.inside('update-ref', trackingRef('origin', walRef), theirs)
      copy.inside('update-ref', walRef, before)
      rmSync(join(copy.gitDir, 'logs', walRef))
      await copy.append(comment(copy.issues.two as IssueId, 'ours'))
    },
    message: /^1 event of origin was fetched but not joined, and it lacks 1 event of this clone$/,
    fixed: null,
  },
  {
    name: 'an unreadable actor',
    check: 'actor_config',
    status: 'warn',
    damage({ gitDir }) {
      mkdirSync(join(gitDir, 'grite/actors/broken'))
      writeFileSync(join(gitDir, 'grite/actors/broken/config.toml'), 'actor_id = 1\n')
    },
    message: /1 actor has an unreadable configuration: broken/,
    fixed: null,
  },
  {
    name: 'a missing default actor',
    check: 'actor_config',
    status: 'warn',
    damage: ({ gitDir }) => writeFileSync(join(gitDir, 'grite/config.toml'), `default_actor = "${'ab'.repeat(16)}"\n`),
    message: /default actor abab.* does not exist in this clone/,
    fixed: null,
  },
  {
    name: 'a view that does not open',
    check: 'store_integrity',
    status: 'error',
    damage: ({ level }) => writeFileSync(join(level, '1/CURRENT'), 'MANIFEST-nowhere\n'),
    message: /the view cannot be opened/,
    fixed: 'rebuild',
  },
  {
    name: 'a view of another version',
    check: 'store_integrity',
    status: 'warn',
    damage: ({ inStore }) => inStore((store) => store.put(metaKey('schema'), Buffer.from('0'))),
    message: /made by another version/,
    fixed: 'rebuild',
  },
  {
    name: 'a changed event in the view',
    check: 'store_integrity',
    status: 'error',
    damage: (copy) =>
      copy.inStore(async (store) => {
        const [entry] = await store.iterator({ gte: Buffer.from('event/'), lt: Buffer.from('event0'), limit: 1 }).all()
        const value = Buffer.from(entry?.[1] as Buffer)
        value.set([0x61], value.indexOf('o'))
        await store.put(entry?.[0] as Buffer, value)
      }),
    message: /does not match its id/,
    fixed: 'rebuild',
  },
  {
    name: 'an event missing from the view',
    check: 'store_integrity',
    status: 'error',
    damage: (copy) =>
      copy.inStore(async (store) => {
        const [key] = await store.keys({ gte: eventKey('0'.repeat(64) as never), limit: 1 }).all()
        await store.del(key as Buffer)
      }),
    message: /its event count is 3, but it holds 2/,
    fixed: 'rebuild',
  },
  {
    name: 'a row missing from the view',
    check: 'view_matches_log',
    status: 'error',
    damage: (copy) => copy.inStore((store) => store.del(issueRowKey(copy.issues.two as IssueId))),
    message: /differs from the log in 1 entry/,
    fixed: 'rebuild',
  },
  {
    name: 'a view older than a week',
    check: 'rebuild_threshold',
    status: 'warn',
    damage: ({ inStore }) =>
      inStore((store) => store.put(metaKey('last_rebuild_ts'), Buffer.from(String(Date.now() - 9 * dayMs)))),
    message: /\d events?, 9 days since the view was built/,
    fixed: 'rebuild',
  },
  {
    name: 'a database of the Rust tool for an actor',
    check: 'legacy_actor_sleds',
    status: 'warn',
    damage: ({ gitDir, actor }) => mkdirSync(join(gitDir, 'grite/actors', actor, 'sled')),
    message: /old databases of the Rust tool exist for 1 actor/,
    fixed: null,
  },
  {
    name: 'a dependency cycle',
    check: 'dependency_cycles',
    status: 'warn',
    damage: ({ append, issues }) => append(edge(issues.one, issues.two), edge(issues.two, issues.one)),
    message: /^1 cycle of issues that wait for each other: [0-9a-f]{7,}, [0-9a-f]{7,}$/,
    fixed: null,
  },
  {
    name: 'a parent cycle',
    check: 'parent_cycles',
    status: 'warn',
    damage: ({ append, issues }) => append(part(issues.one, issues.two), part(issues.two, issues.one)),
    message: /^1 cycle of issues that are parts of each other: /,
    fixed: null,
  },
  {
    name: 'an event with a forged signature',
    check: 'signatures',
    status: 'warn',
    damage: forge,
    message: /^1 event has an invalid or missing signature: [0-9a-f]{64}; 1 verified, 0 with an unknown key, /,
    fixed: null,
  },
  {
    name: 'a forged signature under reject',
    check: 'signatures',
    status: 'error',
    async damage(copy) {
      await forge(copy)
      appendFileSync(join(copy.gitDir, 'grite/config.toml'), 'verify_signatures = "reject"\n')
    },
    message: /^1 event has an invalid or missing signature: /,
    fixed: null,
  },
  {
    name: 'an unsigned actor card',
    check: 'actor_cards',
    status: 'warn',
    damage: ({ append }) => append({ ...cardEvent({ actor: boundActor(bo), key: bo, ts: Date.now() }), sig: null }),
    message: /^1 actor card is invalid: /,
    fixed: null,
  },
  {
    name: 'too many loose objects',
    check: 'loose_objects',
    status: 'warn',
    damage: ({ inside }) => inside('config', 'gc.auto', '9'),
    message: /^\d+ loose objects, above the limit of 9 at which git packs/,
    fixed: 'maintenance',
  },
  {
    name: 'a ref of a stream that leads to the log',
    check: 'record_streams',
    status: 'error',
    async damage({ run, gitDir, inside }) {
      await run('stream create', { stream: 'a' })
      await run('stream create', { stream: 'b' })
      const [ref = ''] = readdirSync(join(gitDir, streamRefPrefix))
      inside('update-ref', `${streamRefPrefix}${ref}`, walRef)
    },
    message: /^1 ref of a stream cannot be read: refs\/grite\/streams\/\w+\.0: commit [0-9a-f]{40} /,
    fixed: null,
  },
  {
    name: 'a damaged journal',
    check: 'stream_journals',
    status: 'error',
    async damage(copy) {
      const { path, bytes } = await writeJournal(copy)
      bytes.write('two', bytes.indexOf('one'))
      writeFileSync(path, bytes)
    },
    message: /^2 faults in the journals of streams: stream a .*journal .* bytes \d+ to \d+ are no frame/,
    fixed: null,
  },
  {
    name: 'a journal of a stream without a ref',
    check: 'stream_journals',
    status: 'error',
    async damage(copy) {
      await writeJournal(copy)
      rmSync(join(copy.gitDir, streamRefPrefix), { recursive: true })
    },
    message: /^1 fault in the journals of streams: journal \S+ is of a stream without a ref$/,
    fixed: null,
  },
  {
    name: 'a stream that a remote has continued differently',
    check: 'diverged_streams',
    status: 'error',
    async damage(copy) {
      const { ref, aside } = await sealTwice(copy)
      copy.inside('update-ref', trackingRef('origin', ref), aside)
    },
    message: /^1 stream has diverged: a: it is at \w{40} here, and at \w{40} on 'origin'; grite 0\.5 can push nothing/,
    fixed: null,
  },
  {
    name: 'a stream whose ref another program moved aside',
    check: 'diverged_streams',
    status: 'error',
    async damage(copy) {
      const { ref, aside } = await sealTwice(copy)
      copy.inside('update-ref', ref, aside)
      for (const name of readdirSync(join(copy.gitDir, 'grite/streams')))
        if (name.endsWith('.journal')) rmSync(join(copy.gitDir, 'grite/streams', name))
    },
    message: /^1 stream has diverged: a: this clone has sealed \w{40}, which is not before \w{40}$/,
    fixed: null,
  },
  {
    name: 'a journal that contradicts the stream',
    check: 'diverged_streams',
    status: 'error',
    async damage(copy) {
      await sealTwice(copy)
      const [folder, saved] = [join(copy.gitDir, 'grite/streams'), join(copy.dir, 'saved')]
      await copy.run('stream append', { stream: 'a', payload: 'mine' })
      renameSync(folder, saved)
      await copy.run('stream append', { stream: 'a', payload: 'theirs' })
      await copy.run('stream seal', { stream: 'a' })
      rmSync(folder, { recursive: true })
      renameSync(saved, folder)
    },
    message: /^1 stream has diverged: a: journal and commit hold different records at offset 2$/,
    fixed: null,
  },
  {
    name: 'many loose refs of streams',
    check: 'loose_refs',
    status: 'warn',
    damage: ({ withRepository }) => withRepository((repository) => createManyStreams(repository, 513)),
    message: /^513 loose refs of streams slow down every `git fetch`$/,
    fixed: 'packed refs',
  },
  {
    name: 'an unreadable lock',
    check: 'lock_refs',
    status: 'warn',
    damage: ({ inside }) => inside('update-ref', `${lockPrefix}0123456789abcdef`, inside('rev-parse', walRef)),
    message: /^1 lock cannot be read: /,
    fixed: null,
  },
  {
    name: 'an ended lock',
    check: 'lock_refs',
    status: 'warn',
    damage: ({ as }) =>
      as({ nowUnixMs: () => Date.now() - dayMs }).run('lock acquire', { resource: 'path:src', ttl: '15m' }),
    message: /^1 lock ended but not deleted: /,
    fixed: 'deleted 1 ended lock',
  },
  {
    name: 'a lease written by a wrong clock',
    check: 'lock_refs',
    status: 'warn',
    damage(copy) {
      const lock = {
        owner: 'ab'.repeat(16),
        nonce: '6f9619ff-8b86-4d01-b42d-00cf4fc964ff',
        expires_unix_ms: Date.now() + 3 * dayMs,
        resource: 'path:src',
        ttl_ms: 900_000,
        fence: 1,
      }
      const blob = copy.gitWith(JSON.stringify(lock, null, 2), copy.path, 'hash-object', '-w', '--stdin')
      const tree = copy.gitWith(`100644 blob ${blob}\tlock.json\n`, copy.path, 'mktree')
      const commit = copy.inside('commit-tree', '-m', 'Lock: path:src', tree)
      copy.inside('update-ref', trackingRef('origin', leaseRefOf('path:src')), commit)
    },
    message: /^1 lock written with a wrong clock: /,
    fixed: null,
  },
  {
    name: 'a snapshot ref that names no snapshot',
    check: 'snapshots',
    status: 'warn',
    damage: ({ inside }) => inside('update-ref', `${snapshotPrefix}1700000000000`, inside('rev-parse', walRef)),
    message: /^1 snapshot is unusable: refs\/grite\/snapshots\/1700000000000: it has no snapshot\.json$/,
    fixed: null,
  },
  {
    name: 'a snapshot with a missing chunk',
    check: 'snapshots',
    status: 'warn',
    async damage({ run, inside, gitDir }) {
      const { snapshot_ref: ref } = (await run('snapshot create', { local: true })) as { snapshot_ref: string }
      const [line = ''] = inside('ls-tree', '-r', ref)
        .split('\n')
        .filter((each) => each.endsWith('.bin'))
      const oid = line.split(/\s/)[2] ?? ''
      rmSync(join(gitDir, 'objects', oid.slice(0, 2), oid.slice(2)))
    },
    message: /^1 snapshot is unusable: .*blob [0-9a-f]{40} is missing$/,
    fixed: null,
  },
  {
    name: 'leftovers of dead processes',
    check: 'leftovers',
    status: 'warn',
    damage: leaveThings,
    message: /^10 leftovers of dead processes: /,
    fixed: 'removed 10 leftovers',
  },
  {
    name: 'a future packed-refs lock of git',
    check: 'leftovers',
    status: 'warn',
    damage: ({ gitDir }) => {
      const ahead = Date.now() / 1000 + 86_400
      writeFileSync(join(gitDir, 'packed-refs.lock'), '')
      utimesSync(join(gitDir, 'packed-refs.lock'), ahead, ahead)
    },
    message: /^1 leftover of dead processes: packed-refs\.lock$/,
    fixed: null,
  },
  {
    name: 'an old ref lock of an unknown owner',
    check: 'leftovers',
    status: 'warn',
    damage: ({ gitDir }) => leave(join(gitDir, `${walRef}.lock`), 'x'),
    message: /^1 leftover of dead processes: refs\/grite\/wal\.lock$/,
    fixed: null,
  },
]

function edge(from: string, to: string) {
  return makeEvent(
    from as IssueId,
    { type: 'DependencyAdded', target: to as IssueId, dep_type: 'depends_on' },
    { ts: Date.now() },
  )
}

function part(child: string, parent: string) {
  return makeEvent(child as IssueId, { type: 'LabelAdded', label: `parent:${parent}` }, { ts: Date.now() })
}

const [bo, eve] = [signerOf(31), signerOf(32)]

/** Appends a signing actor's card and an event of it with another's signature. */
async function forge({ append, issues }: RepositoryCopy): Promise<void> {
  const actor = boundActor(bo)
  const forged = makeEvent(issues.one as IssueId, { type: 'CommentAdded', body: 'x' }, { actor, ts: Date.now() })
  await append(cardEvent({ actor, key: bo, ts: Date.now() - 1000 }), signed(forged, eve))
}

/** Deletes the chunk of the newest commit. */
function removeChunk({ gitDir, inside }: RepositoryCopy): void {
  const line =
    inside('ls-tree', '-r', walRef)
      .split('\n')
      .find((each) => each.endsWith('.bin')) ?? ''
  const oid = line.split(/\s/)[2] ?? ''
  rmSync(objectFile(gitDir, oid), { force: true })
}

function objectFile(gitDir: string, oid: string): string {
  return join(gitDir, 'objects', oid.slice(0, 2), oid.slice(2))
}

/** Appends a commit whose meta.json names a wrong chunk. */
async function misname({ withRepository, issues }: RepositoryCopy): Promise<void> {
  await withRepository(async ({ git }) => {
    const parent = (await git.readRef(walRef)) as Oid
    const files = filesOf(batchOf([comment(issues.one as IssueId, 'x')]), parent)
    const meta = JSON.parse(Buffer.from(files.get('meta.json') as Uint8Array).toString())
    files.set('meta.json', Buffer.from(JSON.stringify({ ...meta, chunk_hash: '0'.repeat(64) })))
    const next = await writeCommit(git, files, [parent])
    await git.publish({
      objects: [],
      updates: [{ ref: walRef, expected: parent, next, reflogMessage: 'grite: test', keepsReflog: true }],
    })
  })
}

/** Leaves one of everything that a dead process can leave. */
function leaveThings({ gitDir, level }: RepositoryCopy): void {
  const temporary = (name: string) => join(gitDir, 'grite/tmp', `${deadOwner}-${name}`)
  mkdirSync(join(gitDir, 'grite/tmp'), { recursive: true })
  mkdirSync(join(gitDir, 'objects/pack'), { recursive: true })
  writeFileSync(temporary('alone'), 'x')
  writeFileSync(temporary('locking'), 'x')
  linkSync(temporary('locking'), join(gitDir, `${walRef}.lock`))
  writeFileSync(join(gitDir, 'objects/pack/pack-0.keep'), `grite ${deadOwner}\n`)
  leave(join(level, '7'), null)
  leave(join(level, '3.aside'), null)
  // Its mtime is ahead, so it is ignored.
  writeFileSync(join(gitDir, 'grite/append.lock'), `${deadOwner}\n`)
  const ahead = Date.now() / 1000 + 86_400
  utimesSync(join(gitDir, 'grite/append.lock'), ahead, ahead)
  leave(join(gitDir, 'grite/config.toml.1.0.tmp'), 'x')
  mkdirSync(join(temporary('room'), 'refs/worktree'), { recursive: true })
  mkdirSync(join(gitDir, 'refs/grite/locks'), { recursive: true })
  writeFileSync(join(gitDir, 'refs/grite/locks/x.lock'), '')
  writeFileSync(`${temporary('child')}.locks`, 'refs/grite/locks/x.lock\n')
}

/** Leaves similar files of running processes and other tools. */
function leaveOtherThings({ gitDir, level }: RepositoryCopy): void {
  mkdirSync(join(gitDir, 'objects/pack'), { recursive: true })
  writeFileSync(join(gitDir, 'grite/tmp', `${formatOwner(currentOwner())}-0`), 'x')
  writeFileSync(join(gitDir, 'objects/pack/pack-1.keep'), 'kept by hand\n')
  writeFileSync(join(gitDir, 'objects/pack/pack-2.keep'), `grite ${formatOwner(currentOwner())}\n`)
  mkdirSync(join(level, '8'))
  mkdirSync(join(gitDir, 'grite/append.lock'))
  leave(join(gitDir, 'grite/notes.tmp'), 'x')
}

/** A stream of two commits, and another commit on top of the first one. */
async function sealTwice({ run, inside }: RepositoryCopy): Promise<{ ref: RefName; aside: string }> {
  await run('stream create', { stream: 'a' })
  for (const payload of ['one', 'two']) {
    await run('stream append', { stream: 'a', payload })
    await run('stream seal', { stream: 'a' })
  }
  const ref = refOfStream(parseStreamId('a'), 0)
  const aside = inside('commit-tree', `${ref}^{tree}`, '-p', `${ref}~1`, '-m', 'aside')
  return { ref, aside }
}

/** The journal of a new stream with three appends. */
async function writeJournal({ run, gitDir }: RepositoryCopy): Promise<{ path: string; bytes: Buffer }> {
  await run('stream create', { stream: 'a' })
  for (const payload of ['one', 'two', 'three']) await run('stream append', { stream: 'a', payload })
  const folder = join(gitDir, 'grite/streams')
  const name = readdirSync(folder).find((each) => each.endsWith('.journal')) ?? ''
  return { path: join(folder, name), bytes: readFileSync(join(folder, name)) }
}

it('docs/doctor.md lists every check in order', () => {
  const page = readFileSync(new URL('../../../docs/doctor.md', import.meta.url), 'utf8')
  const rows = [...page.matchAll(/^\| `(\w+)` \|([^|]+)\|([^|]*)\|$/gm)]
  assert.deepEqual(
    rows.map(([, id]) => id),
    checks.map(({ id }) => id),
  )
  // Checks with a fix describe it.
  assert.deepEqual(
    rows.filter(([, , , fix = '']) => fix.trim() !== '').map(([, id]) => id),
    checks.filter(({ fix }) => fix !== undefined).map(({ id }) => id),
  )
})

describe('sound repositories', () => {
  it('a sound repository passes every check', async () => {
    const { checks: found, applied, exitStatus, wrong } = await diagnose(newCopy())
    assert.deepEqual(wrong, {})
    assert.deepEqual([exitStatus, applied], [0, []])
    assert.deepEqual(
      found.map(({ id }) => id),
      checks.map(({ id }) => id),
    )
  })

  it('doctor --fix leaves a sound repository and running work alone', async () => {
    const copy = newCopy()
    leaveOtherThings(copy)
    const before = listing(copy.gitDir)
    assert.deepEqual((await diagnose(copy, { fix: true })).applied, [])
    assert.deepEqual(listing(copy.gitDir), before)
  })
})

describe('broken repositories', () => {
  for (const { name, check, status, damage, message, fixed, env } of cases) {
    it(`only ${check} reports ${name}`, async () => {
      const copy = newCopy()
      await damage(copy)
      const runner = env === undefined ? copy : copy.as({ env: env(copy) })
      const before = listing(copy.gitDir)
      const found = await diagnose(runner)
      assert.deepEqual(found.wrong, { [check]: status })
      assert.match(found.of(check).message, message)
      assert.equal(found.exitStatus, status === 'error' ? 1 : 0)
      assert.deepEqual(listing(copy.gitDir), before, 'looking changes nothing')
      const after = await diagnose(runner, { fix: true })
      if (fixed === null) {
        assert.deepEqual([after.applied, after.wrong], [[], { [check]: status }])
        assert.deepEqual(listing(copy.gitDir), before, 'what cannot be repaired is left alone')
      } else {
        assert.deepEqual([after.applied, after.wrong, after.exitStatus], [[fixed], {}, 0])
      }
    })
  }

  it('the plan tells how to clear an unreadable lock', async () => {
    const copy = newCopy()
    copy.inside('update-ref', lockRefOf('plain'), copy.inside('rev-parse', walRef))
    const plan = (await diagnose(copy)).of('lock_refs').plan?.join('\n') ?? ''
    assert.match(plan, /blocks its resource; remove it with `grite lock release <resource>`/)
    await assert.rejects(copy.run('lock acquire', { resource: 'plain' }), { code: 'conflict' })
    await copy.run('lock acquire', { resource: 'other', ttl: '1m' })
    await copy.run('lock release', { resource: 'plain' })
    await copy.run('lock acquire', { resource: 'plain' })
    assert.deepEqual((await diagnose(copy)).wrong, {})
  })

  it('every check has a case that fails', () => {
    const elsewhere = ['git_repo']
    assert.deepEqual(
      checks.map(({ id }) => id).filter((id) => !cases.some(({ check }) => check === id)),
      elsewhere,
    )
  })

  it('git_repo reports a missing repository', async () => {
    const { dir, as } = newCopy()
    const found = await diagnose(as({ cwd: dir }))
    assert.deepEqual([found.wrong, found.exitStatus], [{ git_repo: 'error' }, 1])
  })
})

describe('doctor', () => {
  it('doctor creates no actor, view or log', async () => {
    const { git, dir, as } = newCopy()
    git(dir, 'init', '-q', '--template=', 'fresh')
    const gitDir = join(dir, 'fresh/.git')
    const before = listing(gitDir)
    const found = await diagnose(as({ cwd: join(dir, 'fresh') }))
    assert.deepEqual([found.wrong, found.exitStatus], [{}, 0])
    assert.deepEqual(listing(gitDir), before)
  })

  it('doctor leaves no temporary files', async () => {
    const copy = newCopy()
    const folder = join(copy.dir, 'temporary')
    mkdirSync(folder)
    await diagnose(copy.as({ env: { ...copy.environment, TMPDIR: folder } }))
    assert.deepEqual(readdirSync(folder), [])
  })

  it('doctor --fix keeps a view with events that the log lost', async () => {
    const copy = newCopy()
    removeChunk(copy)
    copy.inside('remote', 'remove', 'origin')
    await copy.inStore((store) => store.put(metaKey('last_rebuild_ts'), Buffer.from('0')))
    const { applied, wrong } = await diagnose(copy, { fix: true })
    assert.deepEqual([applied, wrong], [[], { log_gaps: 'error', rebuild_threshold: 'warn' }])
    assert.deepEqual(
      copy.warnings.map(({ code }) => code),
      ['fix-failed'],
    )
    const shown = (await copy.run('issue show', { issue: copy.issues.one })) as { issue: { comments: unknown[] } }
    assert.equal(shown.issue.comments.length, 1)
  })

  it('doctor --fix leaves a ref alone that never named a log', async () => {
    const { git, gitWith, dir, as } = newCopy()
    const path = join(dir, 'never')
    git(dir, 'init', '-q', '--template=', path)
    mkdirSync(join(path, '.git/refs/grite'))
    writeFileSync(join(path, '.git', walRef), `${gitWith('text', path, 'hash-object', '-w', '--stdin')}\n`)
    const before = listing(path)
    for (const fix of [false, true]) {
      assert.deepEqual((await diagnose(as({ cwd: path }), { fix })).wrong, { wal_ref: 'error' })
      assert.deepEqual(listing(path), before)
    }
  })

  it('doctor --fix passes on warnings of the view', async () => {
    const copy = newCopy()
    copy.inside('update-ref', walRef, `${walRef}~1`)
    await diagnose(copy, { fix: true })
    assert.deepEqual(
      copy.warnings.map(({ code }) => code),
      ['log-restored'],
    )
  })

  it('doctor --fix continues after a fix that fails', async () => {
    const copy = newCopy()
    writeFileSync(join(copy.gitDir, 'grite/config.toml'), 'lock_policy = \n')
    leave(join(copy.gitDir, 'grite/append.lock'), null)
    const { applied, wrong } = await diagnose(copy, { fix: true })
    assert.deepEqual([applied, wrong], [['removed 1 leftover'], { config: 'error' }])
  })
})
