/** A foreign snapshot is compared with the log before its use, and never used when it differs. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import type { GitPort, Oid } from '../../src/git/index.ts'
import { type ActorId, encodeChunk, formatHex, hashChunk, snapshotDigest } from '../../src/model/index.ts'
import { generateKeyPair, readLog, signerFromSeed, walRef } from '../../src/wal/index.ts'
import { issueLog } from '../../src/wal/issue-log/issue-log.ts'
import { formatSnapshotSignature } from '../../src/wal/issue-log/snapshot/snapshot-codec.ts'
import { comment, creation, issueId, recordOf } from '../support/log.ts'
import { writeSnapshotFiles } from '../support/snapshots.ts'
import { createClones, type Member } from '../sync/clones.ts'

interface Rebuilt {
  readonly event_count: number
  readonly from_snapshot: string | null
  readonly snapshot_unchecked?: boolean
}
interface Listed {
  readonly snapshots: readonly { readonly ref_name: string; readonly oid: string; readonly verdict: string | null }[]
  readonly refused_on_remotes?: readonly { readonly oid: string; readonly problem: string }[]
}

const forged = [creation(issueId('f0'), 'forged'), comment(issueId('f0'), 'forged too')]
/** Later than any real snapshot, so that it is the newest. */
const farAheadMs = 4_000_000_000_000
const refOf = (ms: number) => `refs/grite/snapshots/${ms}`

/** Changes the records of a snapshot. */
type Tamper = (records: readonly Uint8Array[]) => readonly Uint8Array[]
const omit: Tamper = (records) => records.slice(1)
const add: Tamper = (records) => [...records, ...forged.map(recordOf)]
const honest: Tamper = (records) => records

interface SignBy {
  readonly actor: ActorId
  readonly seed: string
}

interface TamperedFacts {
  readonly createdTs?: number
  readonly signBy?: SignBy
  /** Files beside the events. */
  readonly more?: readonly (readonly [string, Uint8Array])[]
}

/** Writes a snapshot of the log as another tool may: in one chunk, with changed records. */
async function writeTampered(
  git: GitPort,
  tamper: Tamper,
  { createdTs = farAheadMs, signBy, more = [] }: TamperedFacts = {},
): Promise<Oid> {
  const head = (await git.readRef(walRef)) as Oid
  const records: Uint8Array[] = []
  for await (const segments of readLog(git, issueLog, { head })) {
    for (const { items } of segments) for (const { record } of items) records.push(Uint8Array.from(record))
  }
  const chunk = encodeChunk(tamper(records))
  const event_count = tamper(records).length
  const chunks = [{ path: 'events/0000.bin', chunk_hash: hashChunk(chunk), event_count }]
  const facts = Buffer.from(
    JSON.stringify({ schema_version: 1, created_ts: createdTs, wal_head: head, event_count, chunks }),
  )
  const files = new Map<string, Uint8Array>([['snapshot.json', facts], ['events/0000.bin', chunk], ...more])
  if (signBy !== undefined) {
    const signer = signerFromSeed(signBy.seed) ?? assert.fail()
    const digest = snapshotDigest(signBy.actor, { facts, report: null, orphans: null, attachments: [] })
    const signature = { actor: signBy.actor, publicKey: signer.publicKey, sig: signer.sign(formatHex(digest)) }
    files.set('ext/signature.json', Buffer.from(formatSnapshotSignature(signature)))
  }
  return (await writeSnapshotFiles(git, createdTs, files)).oid
}

/** A remote with three events by `ann`, and a clone `bo` that has them. */
async function setUp(t: TestContext) {
  const setup = createClones(t)
  const [ann, bo] = [setup.clone('ann'), setup.clone('bo')]
  for (const title of ['one', 'two', 'three']) await ann.create(title)
  await ann.sync()
  await bo.sync()
  return { setup, ann, bo, onOrigin: setup.onOrigin }
}

const rebuild = async (member: Member, more: object = {}) =>
  (await member.run('rebuild', { fromSnapshot: true, ...more })) as Rebuilt
const list = async (member: Member) => (await member.run('snapshot list')) as Listed
const verdictsOf = async (member: Member) => (await list(member)).snapshots.map(({ verdict }) => verdict)
const snapshotsIn = (member: Member) => member.git('for-each-ref', '--format=%(refname)', 'refs/grite/snapshots')
const configure = (member: Member, text: string) => {
  const path = join(member.path, '.git/grite/config.toml')
  const old = existsSync(path) ? readFileSync(path, 'utf8') : ''
  writeFileSync(path, `${text}\n${old}`)
}
/** Fetches the remote's snapshots with plain git. */
const fetchPlainly = (member: Member) =>
  member.git('fetch', '-q', 'origin', '+refs/grite/snapshots/*:refs/grite/snapshots/*')
const messagesOf = (member: Member) => member.warnings.splice(0).map(({ code, message }) => `${code}: ${message}`)

describe('false snapshots', { concurrency: 3 }, () => {
  for (const [what, tamper, problem] of [
    ['leaves out an event', omit, 'it omits 1 event of the log'],
    ['adds events', add, 'it adds 2 events that the log does not have'],
  ] as const) {
    it(`a sync refuses a snapshot that ${what}`, async (t) => {
      const { bo, onOrigin } = await setUp(t)
      configure(bo, 'verify_signatures = "reject"')
      const oid = await onOrigin((git) => writeTampered(git, tamper))
      await bo.sync()
      assert.deepEqual(messagesOf(bo), [
        `snapshot-refused: rejected snapshot ${refOf(farAheadMs)} of 'origin', commit ${oid}: ${problem}; it is refused for good`,
      ])
      assert.equal(snapshotsIn(bo), '')
      // It is reported once, and stays refused.
      await bo.sync()
      assert.deepEqual(messagesOf(bo), [])
      const { snapshots, refused_on_remotes } = await list(bo)
      assert.deepEqual([snapshots, refused_on_remotes], [[], [{ oid, ref_name: refOf(farAheadMs), problem }]])
      assert.equal((await rebuild(bo)).event_count, 3)
    })

    it(`a rebuild refuses a snapshot that ${what}`, async (t) => {
      const { bo, onOrigin } = await setUp(t)
      const oid = await onOrigin((git) => writeTampered(git, tamper))
      fetchPlainly(bo)
      assert.deepEqual(await verdictsOf(bo), ['unchecked'])
      const rebuilt = await rebuild(bo)
      assert.deepEqual([rebuilt.event_count, rebuilt.from_snapshot], [3, null])
      const named = `${refOf(farAheadMs)}: ${problem}; commit ${oid} is refused for good`
      assert.deepEqual(messagesOf(bo), [
        `snapshot-unusable: skipped snapshot: ${named}`,
        'snapshot-unusable: no snapshot is usable; read the whole log',
      ])
      assert.deepEqual(await bo.titles(), ['one', 'three', 'two'])
      assert.deepEqual(await verdictsOf(bo), ['refused'])
      // --trust-snapshot does not override a refusal.
      assert.equal((await rebuild(bo, { trustSnapshot: true })).event_count, 3)
    })
  }

  it('a rebuild skips a refused snapshot for an older sound one', async (t) => {
    const { bo, ann, onOrigin } = await setUp(t)
    await ann.run('snapshot create')
    await ann.sync()
    await onOrigin((git) => writeTampered(git, omit))
    fetchPlainly(bo)
    const rebuilt = await rebuild(bo)
    assert.match(rebuilt.from_snapshot ?? '', /snapshots\/1\d{12}$/)
    assert.deepEqual(await verdictsOf(bo), ['refused', 'checked'])
  })

  it('--trust-snapshot uses an unchecked snapshot and reports it', async (t) => {
    const { bo, onOrigin } = await setUp(t)
    await onOrigin((git) => writeTampered(git, add))
    fetchPlainly(bo)
    const rebuilt = await rebuild(bo, { trustSnapshot: true })
    assert.deepEqual(
      [rebuilt.event_count, rebuilt.from_snapshot, rebuilt.snapshot_unchecked],
      [5, refOf(farAheadMs), true],
    )
    assert.match(messagesOf(bo).join(), /^snapshot-unchecked: refs\/grite\/snapshots\/\d+ was used unchecked/)
    assert.deepEqual(await verdictsOf(bo), ['unchecked'])
    assert.equal((await rebuild(bo)).event_count, 3)
    await assert.rejects(bo.run('rebuild', { trustSnapshot: true }), /--trust-snapshot needs --from-snapshot/)
  })

  it('a refused snapshot is not pushed to another remote', async (t) => {
    const { setup, bo, onOrigin } = await setUp(t)
    setup.git(setup.dir, 'init', '-q', '--bare', 'backup.git')
    await onOrigin((git) => writeTampered(git, add))
    fetchPlainly(bo)
    await bo.run('snapshot create')
    await bo.sync({ remote: join(setup.dir, 'backup.git') })
    const sent = setup.git(join(setup.dir, 'backup.git'), 'for-each-ref', '--format=%(refname)', 'refs/grite/snapshots')
    assert.match(sent, /^refs\/grite\/snapshots\/1\d{12}$/)
    assert.deepEqual(await verdictsOf(bo), ['refused', 'own'])
  })

  it('snapshot gc deletes refused snapshots here and on the remote', async (t) => {
    const { setup, ann, bo, onOrigin } = await setUp(t)
    await ann.run('snapshot create')
    await ann.sync()
    for (const number of [1, 2, 3])
      await onOrigin((git) => writeTampered(git, omit, { createdTs: farAheadMs + number }))
    fetchPlainly(bo)
    await onOrigin((git) => writeTampered(git, add, { createdTs: farAheadMs + 4 }))
    await bo.sync()
    assert.equal((await list(bo)).refused_on_remotes?.length, 1)
    // The newer refused ones do not replace the sound one.
    const { deleted, remaining, owed_remote_deletions } = (await bo.run('snapshot gc', { keep: 1 })) as Record<
      string,
      number
    >
    assert.deepEqual([deleted, remaining, owed_remote_deletions], [3, 1, 4])
    await bo.sync()
    assert.match(setup.inOrigin('for-each-ref', '--format=%(refname)', 'refs/grite/snapshots'), /^\S+\/1\d{12}$/)
    assert.deepEqual(await verdictsOf(bo), ['checked'])
  })

  it('refused snapshots neither stop nor replace a due snapshot', async (t) => {
    const { ann, onOrigin } = await setUp(t)
    configure(ann, '[snapshot]\nmax_events = 1')
    await ann.create('four')
    await ann.sync()
    const [good] = (await list(ann)).snapshots
    for (let number = 0; number < 6; number++) {
      await onOrigin((git) =>
        writeTampered(git, (all) => [...all, ...all.slice(number)], { createdTs: farAheadMs + number }),
      )
    }
    fetchPlainly(ann)
    await ann.create('five')
    await ann.sync()
    const own = (await list(ann)).snapshots.filter(({ verdict }) => verdict === 'own').map(({ oid }) => oid)
    assert.deepEqual([own.length, own[1]], [2, good?.oid])
  })

  it('doctor finds a false snapshot and writes nothing', async (t) => {
    const { bo, onOrigin } = await setUp(t)
    await onOrigin((git) => writeTampered(git, omit))
    fetchPlainly(bo)
    const { checks } = (await bo.run('doctor')) as { checks: { id: string; status: string; message: string }[] }
    const found = checks.find(({ id }) => id === 'snapshots')
    assert.equal(found?.status, 'warn')
    assert.match(found?.message ?? '', /unusable: \S+: it omits 1 event of the log$/)
    assert.deepEqual(await verdictsOf(bo), ['unchecked'])
  })

  it('a snapshot cannot report damage that the log lacks', async (t) => {
    const { setup, bo, onOrigin } = await setUp(t)
    const head = setup.originHead()
    const problem = { commit: head, object_id: null, event_id: null, severity: 'damaged', reason: 'all is lost' }
    const counts = { orphan_count: 0, attachment_count: 0, has_repeats: false, problem_count: 1 }
    const report = Buffer.from(JSON.stringify({ schema_version: 1, ...counts, problems: [problem] }))
    await onOrigin((git) => writeTampered(git, honest, { more: [['ext/report.json', report]] }))
    await bo.sync()
    bo.warnings.splice(0)
    assert.equal((await rebuild(bo)).from_snapshot, refOf(farAheadMs))
    assert.deepEqual(messagesOf(bo), [
      `snapshot-report: ${refOf(farAheadMs)} reports 1 problem of the log that could not be confirmed; run \`grite db check\` to list them`,
    ])
  })
})

describe('sound snapshots', { concurrency: 3 }, () => {
  it('a foreign snapshot is checked once, at sync or first use', async (t) => {
    const { bo, onOrigin } = await setUp(t)
    const reversed: Tamper = (records) => [...records, ...records.slice(1)].reverse()
    await onOrigin((git) => writeTampered(git, reversed))
    await bo.sync()
    assert.deepEqual(await verdictsOf(bo), ['checked'])
    assert.equal((await rebuild(bo)).from_snapshot, refOf(farAheadMs))
    // Without the stored verdict it is checked again.
    rmSync(join(bo.path, '.git/grite/snapshots.json'))
    assert.deepEqual(await verdictsOf(bo), ['unchecked'])
    assert.equal((await rebuild(bo)).from_snapshot, refOf(farAheadMs))
    assert.deepEqual(await verdictsOf(bo), ['checked'])
    writeFileSync(join(bo.path, '.git/grite/snapshots.json'), '{"version":1,"snapshots":{"x":{"verdict":"own"}}}')
    assert.deepEqual(await verdictsOf(bo), ['unchecked'])
    assert.deepEqual(messagesOf(bo), [])
  })

  it('an own snapshot is used unchecked with an incomplete log', async (t) => {
    const { ann, onOrigin } = await setUp(t)
    await ann.run('snapshot create')
    assert.deepEqual(await verdictsOf(ann), ['own'])
    await onOrigin((git) => writeTampered(git, honest, { createdTs: 1000 }))
    fetchPlainly(ann)
    hideFirstTree(ann)
    assert.match((await rebuild(ann)).from_snapshot ?? '', /snapshots\/1\d{12}$/)
    ann.git('update-ref', '-d', (await list(ann)).snapshots[0]?.ref_name ?? '')
    ann.warnings.splice(0)
    await assert.rejects(rebuild(ann), /the log is incomplete here/)
    assert.match(messagesOf(ann).join(), /it cannot be checked against the log: tree \w+ is missing here/)
  })

  it('a snapshot signed by an actor of the log is used unchecked', async (t) => {
    const { ann, bo } = await setUp(t)
    await signFrom(ann)
    await ann.run('snapshot create')
    await ann.sync()
    await bo.sync()
    assert.deepEqual(await verdictsOf(bo), ['signed'])
    assert.match((await rebuild(bo)).from_snapshot ?? '', /snapshots\/1\d{12}$/)
    assert.deepEqual(messagesOf(bo), [])
  })

  it('a signed snapshot is checked when the settings ask for it', async (t) => {
    const { ann, bo, onOrigin } = await setUp(t)
    const actor = await signFrom(ann)
    const seed = readFileSync(join(ann.path, '.git/grite/actors', actor, 'signing_key'), 'utf8').trim()
    await onOrigin((git) => writeTampered(git, add, { signBy: { actor, seed } }))
    await bo.sync()
    const events = (await bo.ids()).length
    // A signature with the key of an actor of the log is trusted, unless the settings say otherwise.
    assert.equal((await rebuild(bo)).event_count, events + forged.length)
    for (const setting of ['verify_signatures = "reject"', 'snapshot.trust_signed = false']) {
      configure(bo, setting)
      assert.equal((await rebuild(bo)).event_count, events)
      assert.deepEqual(await verdictsOf(bo), ['refused'])
      for (const name of ['config.toml', 'snapshots.json']) rmSync(join(bo.path, '.git/grite', name))
    }
  })

  it('a snapshot signed by a stranger or an old key is checked', async (t) => {
    const { ann, bo, onOrigin } = await setUp(t)
    const actor = await signFrom(ann)
    const seed = readFileSync(join(ann.path, '.git/grite/actors', actor, 'signing_key'), 'utf8').trim()
    await bo.sync()
    const stranger = generateKeyPair().seedHex
    for (const [number, by] of [
      { actor, seed: stranger },
      { actor: 'ab'.repeat(16) as ActorId, seed },
    ].entries()) {
      await onOrigin((git) => writeTampered(git, omit, { createdTs: farAheadMs + number, signBy: by }))
    }
    await bo.sync()
    assert.equal((await list(bo)).refused_on_remotes?.length, 2)
    await ann.run('actor rotate-key')
    await ann.sync()
    await bo.sync()
    await onOrigin((git) => writeTampered(git, omit, { createdTs: farAheadMs + 5, signBy: { actor, seed } }))
    await bo.sync()
    assert.equal((await list(bo)).refused_on_remotes?.length, 3)
  })
})

/** Makes the clone write as an actor with a key. */
async function signFrom(member: Member): Promise<ActorId> {
  const { actor_id } = (await member.run('actor init', { label: 'ci', generateKey: true })) as { actor_id: ActorId }
  await member.run('actor use', { actor: actor_id })
  await member.create('signed')
  await member.sync()
  return actor_id
}

/** Deletes a tree of the first commit, so that no check of the log can succeed. */
function hideFirstTree(member: Member): void {
  const first = member.git('rev-list', '--max-parents=0', walRef)
  const tree = member.git('rev-parse', `${first}^{tree}`)
  rmSync(join(member.path, '.git/objects', tree.slice(0, 2), tree.slice(2)))
}
