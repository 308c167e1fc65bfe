import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { deflateSync } from 'node:zlib'
import { nodeDisk } from '../../src/git/durable/disk.ts'
import { encodeObject, hashObject } from '../../src/git/object-codec.ts'
import type { GitPort, GitSupports, Oid, RefName, RepositoryLayout } from '../../src/git/port.ts'
import type { PortOptions } from '../../src/git/port-context.ts'
import { looseObjectPath, looseRefPath, parseRefName, reflogPath } from '../../src/git/ref-paths.ts'
import {
  CorruptObjectError,
  NotFoundError,
  ObjectTooLargeError,
  RefLockedError,
  RefMovedError,
} from '../../src/model/errors/index.ts'
import { walRef } from '../../src/wal/index.ts'
import { listAll, planOf, publishChain, readAll, sampleCommit } from '../git/sample-commits.ts'
import {
  createTempRepository,
  type RepositoryKind,
  type TempRepository,
  whyNotMakeable,
} from '../git/temp-repository.ts'

export type OpenPort = (layout: RepositoryLayout, options: PortOptions) => GitPort

const missingOid = { sha1: 'de'.repeat(20) as Oid, sha256: 'de'.repeat(32) as Oid }

export interface PortUnderTest {
  readonly name: string
  readonly open: OpenPort
  readonly supports: GitSupports
}

/** Tests that every implementation of `GitPort` passes, in each given kind of repository it supports. */
export function gitPortConformance({ name, open, supports }: PortUnderTest, kinds: readonly RepositoryKind[]): void {
  for (const kind of kinds) {
    const why = whyNotSupported(kind, supports) ?? whyNotMakeable(kind)
    describe(`${name} port, ${kind} repository`, { skip: why ?? false, concurrency: true }, () =>
      portTests(kind, open, supports),
    )
  }
}

function whyNotSupported(kind: RepositoryKind, supports: GitSupports): string | null {
  if (kind === 'sha256' && !supports.objectFormats.includes('sha256')) return 'not supported: SHA-256'
  if (kind === 'reftable' && !supports.refStorages.includes('reftable')) return 'not supported: reftable'
  if (kind === 'alternates' && !supports.alternates) return 'not supported: alternates'
  return null
}

interface Fixture {
  readonly repository: TempRepository
  readonly port: GitPort
}

function portTests(kind: RepositoryKind, open: OpenPort, supports: GitSupports): void {
  async function openFixture(t: TestContext, options: Partial<PortOptions> = {}): Promise<Fixture> {
    const repository = await createTempRepository(t, kind)
    const port = open(repository.layout, { environment: repository.environment, lockWaitMs: 10_000, ...options })
    t.after(() => port.close())
    return { repository, port }
  }

  it('publishes objects that git reads and fsck accepts', async (t) => {
    const { repository, port } = await openFixture(t)
    const oids = await publishChain(port, ['one', 'two', 'three'])
    assert.equal(repository.run('rev-parse', walRef), oids[2])
    assert.equal(repository.run('log', '--format=%s', '--reverse', walRef), 'one\ntwo\nthree')
    assert.equal(repository.run('show', `${walRef}:events/0.bin`), 'three')
    repository.run('fsck', '--strict', '--no-dangling')
  })

  it('reads loose and packed refs written by git', async (t) => {
    const { repository, port } = await openFixture(t)
    const [first] = await publishChain(port, ['one'])
    const side = parseRefName('refs/grite/side/ref')
    repository.run('update-ref', side, first as string)
    assert.equal(await port.readRef(side), first)
    repository.run('pack-refs', '--all')
    assert.equal(await port.readRef(side), first)
    assert.equal(await port.readRef(parseRefName('refs/grite/none')), null)
    assert.deepEqual(await port.listRefs('refs/grite/'), [
      { ref: side, oid: first },
      { ref: walRef, oid: first },
    ])
    assert.deepEqual(await port.listRefs('refs/grite/side/'), [{ ref: side, oid: first }])
    const other = parseRefName('refs/grite-other/ref')
    repository.run('update-ref', other, first as string)
    assert.deepEqual(await port.listRefs(['refs/none/', 'refs/grite/side/']), [{ ref: side, oid: first }])
    assert.deepEqual(await port.listRefs(['refs/grite/side/', 'refs/grite/', 'refs/grite-other/']), [
      { ref: other, oid: first },
      { ref: side, oid: first },
      { ref: walRef, oid: first },
    ])
  })

  it('moves a packed ref', async (t) => {
    const { repository, port } = await openFixture(t)
    await publishChain(port, ['one'])
    repository.run('pack-refs', '--all')
    const [, second] = [null, (await publishChain(port, ['two']))[0]]
    assert.equal(repository.run('rev-parse', walRef), second)
    repository.run('pack-refs', '--all')
    assert.equal(await port.readRef(walRef), second)
  })

  it('rejects a symbolic ref and a ref without an object id', {
    skip: kind === 'reftable' && 'refs are not files',
  }, async (t) => {
    const { repository, port } = await openFixture(t)
    await publishChain(port, ['one'])
    const symbolic = parseRefName('refs/grite/symbolic')
    repository.run('symbolic-ref', symbolic, walRef)
    await assert.rejects(port.readRef(symbolic), CorruptObjectError)
    const broken = parseRefName('refs/grite/broken')
    writeFileSync(looseRefPath(repository.layout, broken), 'no id\n')
    await assert.rejects(port.readRef(broken), CorruptObjectError)
    await assert.rejects(port.listRefs('refs/grite/'), CorruptObjectError)
  })

  it('lists the sound refs and reports the broken ones', {
    skip: kind === 'reftable' && 'refs are not files',
  }, async (t) => {
    const { repository, port } = await openFixture(t)
    const [head] = await publishChain(port, ['one'])
    repository.run('update-ref', 'refs/grite/locks/packed', walRef)
    repository.run('pack-refs', '--all')
    repository.run('update-ref', 'refs/grite/locks/loose', walRef)
    repository.run('symbolic-ref', 'refs/grite/locks/symbolic', walRef)
    for (const [name, text] of [
      ['empty', ''],
      ['short', '0123\n'],
    ]) {
      writeFileSync(looseRefPath(repository.layout, `refs/grite/locks/${name}`), text as string)
    }
    const broken: string[] = []
    const listed = await port.listRefs('refs/grite/locks/', (ref, reason) => void broken.push(`${ref} ${reason}`))
    assert.deepEqual(listed, [
      { ref: 'refs/grite/locks/loose', oid: head },
      { ref: 'refs/grite/locks/packed', oid: head },
    ])
    assert.deepEqual(broken.sort(), [
      'refs/grite/locks/empty does not hold an object id',
      'refs/grite/locks/short does not hold an object id',
      'refs/grite/locks/symbolic is a symbolic ref',
    ])
  })

  it('starts a reflog only for updates that ask for one', async (t) => {
    const { repository, port } = await openFixture(t)
    const commit = sampleCommit(port.layout.objectFormat, [], 'one')
    const move = (name: string, keepsReflog?: boolean) => {
      const update = { ref: parseRefName(name), expected: null, next: commit.oid, reflogMessage: 'made' }
      const updates = [keepsReflog === undefined ? update : { ...update, keepsReflog }]
      return port.publish({ objects: commit.objects, updates })
    }
    await move('refs/grite/forks/kept', true)
    await move('refs/grite/forks/bare', false)
    await move('refs/grite/wal')
    const subjects = (ref: string) => repository.run('reflog', 'show', '--format=%gs', ref)
    assert.equal(subjects('refs/grite/forks/kept'), 'made')
    assert.deepEqual([subjects('refs/grite/forks/bare'), subjects('refs/grite/wal')], ['', ''])
  })

  it('records identity and message in the reflog of the log', async (t) => {
    const { repository, port } = await openFixture(t)
    const oids = await publishChain(port, ['one', 'two'])
    const lines = repository.run('reflog', 'show', '--format=%H %gn %ge %gs', walRef).split('\n')
    assert.deepEqual(lines, [`${oids[1]} Test test@example.com append`, `${oids[0]} Test test@example.com append`])
  })

  it('reports a lost race with both values and moves no ref', async (t) => {
    const { repository, port } = await openFixture(t)
    const [first, second] = await publishChain(port, ['one', 'two'])
    const late = sampleCommit(port.layout.objectFormat, [first as Oid], 'late')
    await assert.rejects(port.publish(planOf(late, first as Oid)), (error) => {
      assert.ok(error instanceof RefMovedError)
      assert.deepEqual([error.code, error.ref, error.expected, error.found], ['conflict', walRef, first, second])
      return true
    })
    assert.equal(repository.run('rev-parse', walRef), second)
  })

  it('creates only absent refs and moves only existing refs', async (t) => {
    const { port } = await openFixture(t)
    const [first] = await publishChain(port, ['one'])
    const other = sampleCommit(port.layout.objectFormat, [], 'other')
    await assert.rejects(
      port.publish(planOf(other, null)),
      (error) => error instanceof RefMovedError && error.found === first,
    )
    const side = parseRefName('refs/grite/side')
    await assert.rejects(
      port.publish(planOf(other, first as Oid, side)),
      (error) => error instanceof RefMovedError && error.found === null,
    )
    assert.equal(await port.readRef(side), null)
  })

  it('moves either all refs of an update or none', async (t) => {
    const { port } = await openFixture(t)
    const [first] = await publishChain(port, ['one'])
    const commit = sampleCommit(port.layout.objectFormat, [first as Oid], 'two')
    const side = parseRefName('refs/grite/side')
    const move = (ref: RefName, expected: Oid | null) => ({ ref, expected, next: commit.oid, reflogMessage: 'both' })
    const lost = { objects: commit.objects, updates: [move(side, first as Oid), move(walRef, first as Oid)] }
    await assert.rejects(port.publish(lost), RefMovedError)
    assert.deepEqual([await port.readRef(side), await port.readRef(walRef)], [null, first])
    await port.publish({ objects: commit.objects, updates: [move(side, null), move(walRef, first as Oid)] })
    assert.deepEqual([await port.readRef(side), await port.readRef(walRef)], [commit.oid, commit.oid])
  })

  it('moves ordered refs one by one, each flushed before the next', async (t) => {
    const seen: string[] = []
    const { repository, port } = await openFixture(t, {
      disk: {
        ...nodeDisk,
        async flushDirectories(paths) {
          seen.push(repository.run('for-each-ref', '--format=%(refname:lstrip=2)', 'refs/grite/').replace(/\n/g, ' '))
          await nodeDisk.flushDirectories(paths)
        },
      },
    })
    const commit = sampleCommit(port.layout.objectFormat, [], 'one')
    const updates = ['refs/grite/z', 'refs/grite/a', 'refs/grite/m'].map((name) => {
      return { ref: parseRefName(name), expected: null, next: commit.oid, reflogMessage: 'ordered' }
    })
    await port.publish({ objects: commit.objects, updates, isOrdered: true })
    const states = seen.filter((names) => names !== '')
    assert.deepEqual([...new Set(states)], ['z', 'a z', 'a m z'])
    await assert.rejects(port.publish({ objects: [], updates, isOrdered: true }), RefMovedError)
  })

  it('deflates objects except those marked as stored', async (t) => {
    const { port } = await openFixture(t)
    const { objectFormat } = port.layout
    const bytes = (text: string) => Buffer.from(text.repeat(200_000))
    const stored = { ...encodeObject(objectFormat, 'blob', bytes('s')), isStored: true }
    const deflated = encodeObject(objectFormat, 'blob', bytes('d'))
    await port.publish({ objects: [stored, deflated], updates: [] })
    const sizes = [stored, deflated].map(({ oid }) => statSync(looseObjectPath(port.layout, oid)).size)
    assert.deepEqual(
      sizes.map((size) => size > 200_000),
      [true, false],
    )
    for (const { oid, content } of [stored, deflated]) {
      assert.deepEqual(Buffer.from((await port.readObject(oid, 1 << 20))?.content ?? []), content)
    }
    await assert.rejects(port.readObject(stored.oid, 100), ObjectTooLargeError)
  })

  it('deletes a loose or packed ref only from its expected value', {
    skip: !supports.packs && 'not supported: deletion',
  }, async (t) => {
    const { repository, port } = await openFixture(t)
    const [first, second] = await publishChain(port, ['one', 'two'])
    const side = parseRefName('refs/grite/locks/x')
    const drop = (expected: Oid) =>
      port.publish({ objects: [], updates: [{ ref: side, expected, next: null, reflogMessage: 'drop' }] })
    repository.run('update-ref', side, first as string)
    await assert.rejects(drop(second as Oid), RefMovedError)
    await drop(first as Oid)
    assert.equal(await port.readRef(side), null)
    repository.run('update-ref', side, first as string)
    repository.run('pack-refs', '--all')
    await drop(first as Oid)
    assert.equal(await port.readRef(side), null)
    const commit = sampleCommit(port.layout.objectFormat, [], 'again')
    await port.publish(planOf(commit, null, side))
    assert.equal(repository.run('rev-parse', side), commit.oid)
  })

  it("waits for another program's ref lock, then reports a conflict", {
    skip: kind === 'reftable' && 'locks are not files',
  }, async (t) => {
    const { repository, port } = await openFixture(t, { lockWaitMs: 100 })
    const waitingPort = open(repository.layout, { environment: repository.environment, lockWaitMs: 20_000 })
    const [first] = await publishChain(port, ['one'])
    const lock = `${looseRefPath(repository.layout, walRef)}.lock`
    writeFileSync(lock, '')
    const commit = sampleCommit(port.layout.objectFormat, [first as Oid], 'two')
    await assert.rejects(
      port.publish(planOf(commit, first as Oid)),
      (error) => error instanceof RefLockedError && error.code === 'conflict',
    )
    assert.equal(await port.readRef(walRef), first)
    setTimeout(() => unlinkSync(lock), 50)
    await waitingPort.publish(planOf(commit, first as Oid))
    assert.equal(repository.run('rev-parse', walRef), commit.oid)
  })

  it('reads history oldest first with all files', async (t) => {
    const { port } = await openFixture(t)
    const oids = await publishChain(port, ['one', 'two', 'three'])
    const entries = await readAll(port, oids[2] as Oid)
    assert.deepEqual(
      entries.map(({ oid }) => oid),
      oids,
    )
    assert.deepEqual(
      entries.map(({ parents }) => parents),
      [[], [oids[0]], [oids[1]]],
    )
    assert.deepEqual(
      entries.map(({ message }) => message),
      ['one', 'two', 'three'],
    )
    assert.ok(
      entries.every(
        ({ committedAtUnixSeconds, problem }) => committedAtUnixSeconds === 1_700_000_000 && problem === null,
      ),
    )
    for (const { files, message } of entries) {
      assert.deepEqual(
        files.map(({ path, mode }) => `${mode} ${path}`),
        ['100644 events/0.bin', '100644 meta.json'],
      )
      assert.equal(Buffer.from(files[0]?.content ?? []).toString(), message)
    }
  })

  it('omits excluded commits but reads files shared with them', async (t) => {
    const { port } = await openFixture(t)
    const format = port.layout.objectFormat
    const shared = { 'events/0.bin': 'shared', own: 'a' }
    const one = sampleCommit(format, [], 'one', shared)
    const two = sampleCommit(format, [one.oid], 'two', { ...shared, own: 'b' })
    const three = sampleCommit(format, [two.oid], 'three', shared)
    await port.publish(planOf({ oid: three.oid, objects: [...one.objects, ...two.objects, ...three.objects] }, null))
    const entries = await readAll(port, three.oid, [one.oid])
    assert.deepEqual(
      entries.map(({ oid }) => oid),
      [two.oid, three.oid],
    )
    assert.deepEqual(
      entries.map(({ files }) => files.map(({ content }) => String(content))),
      [
        ['shared', 'b'],
        ['shared', 'a'],
      ],
    )
    assert.deepEqual(await readAll(port, three.oid, [three.oid]), [])
    await assert.rejects(readAll(port, three.oid, [missingOid[format]]), NotFoundError)
  })

  it('reads a merge after both parents regardless of dates', async (t) => {
    const { port } = await openFixture(t)
    const format = port.layout.objectFormat
    const root = sampleCommit(format, [], 'root')
    const left = sampleCommit(format, [root.oid], 'left')
    const right = sampleCommit(format, [root.oid], 'right')
    const merge = sampleCommit(format, [left.oid, right.oid], 'merge')
    await port.publish(
      planOf({ oid: merge.oid, objects: [root, left, right, merge].flatMap(({ objects }) => objects) }, null),
    )
    const order = (await readAll(port, merge.oid)).map(({ message }) => message)
    assert.deepEqual([order[0], order[3], order.slice(1, 3).sort()], ['root', 'merge', ['left', 'right']])
    assert.deepEqual(
      (await readAll(port, merge.oid, [left.oid])).map(({ message }) => message),
      ['right', 'merge'],
    )
    assert.equal(await port.findMergeBase(left.oid, right.oid), root.oid)
    assert.equal(await port.findMergeBase(left.oid, merge.oid), left.oid)
    assert.equal(await port.findMergeBase(left.oid, left.oid), left.oid)
    assert.deepEqual(
      [await port.isAncestor(root.oid, merge.oid), await port.isAncestor(merge.oid, root.oid)],
      [true, false],
    )
    assert.deepEqual(
      [await port.isAncestor(left.oid, left.oid), await port.isAncestor(left.oid, right.oid)],
      [true, false],
    )
  })

  it('finds no ancestor among unknown or unrelated commits', async (t) => {
    const { port } = await openFixture(t)
    const format = port.layout.objectFormat
    const one = sampleCommit(format, [], 'one')
    const two = sampleCommit(format, [], 'two')
    await port.publish({ objects: [...one.objects, ...two.objects], updates: [] })
    assert.equal(await port.findMergeBase(one.oid, two.oid), null)
    assert.equal(await port.findMergeBase(one.oid, missingOid[format]), null)
    assert.equal(await port.isAncestor(missingOid[format], one.oid), false)
    assert.equal(await port.isAncestor(one.oid, missingOid[format]), false)
  })

  it('reads equal history from packs and loose objects', async (t) => {
    const { repository, port } = await openFixture(t)
    const oids = await publishChain(port, ['one', 'two', 'three'])
    const before = await readAll(port, oids[2] as Oid)
    repository.run('gc', '-q')
    const after = await readAll(port, oids[2] as Oid)
    assert.deepEqual(after.map(plainEntry), before.map(plainEntry))
    assert.equal(Buffer.from((await port.readObject(oids[0] as Oid, 1000))?.content ?? []).includes('one'), true)
  })

  it('preserves unusual paths, messages and contents', async (t) => {
    const { port } = await openFixture(t)
    const files = {
      'ä/日本/🙂': 'unicode',
      'with space': 'x',
      'quo"te\\': '',
      'line\nbreak': 'y',
      'a.b': '1',
      a: '2',
      a0: '3',
    }
    const commit = sampleCommit(port.layout.objectFormat, [], 'no newline\n\n\ntwice ü', files)
    await port.publish(planOf(commit, null))
    const [entry] = await readAll(port, commit.oid)
    assert.equal(entry?.message, 'no newline\n\n\ntwice ü')
    assert.deepEqual(
      Object.fromEntries((entry?.files ?? []).map(({ path, content }) => [path, String(content)])),
      files,
    )
  })

  it('skips a blob over the size limit and reports it', async (t) => {
    const { repository, port } = await openFixture(t)
    const files = { big: 'b'.repeat(300_000), small: 's' }
    const first = sampleCommit(port.layout.objectFormat, [], 'big', files)
    const second = sampleCommit(port.layout.objectFormat, [first.oid], 'after')
    await port.publish(planOf({ oid: second.oid, objects: [...first.objects, ...second.objects] }, null))
    const big = hashObject(port.layout.objectFormat, 'blob', Buffer.from(files.big))
    for (const packed of [false, true]) {
      if (packed) repository.run('gc', '-q')
      const entries = await readAll(port, second.oid, [], 1000)
      assert.deepEqual(
        entries.map(({ files }) => files.map(({ problem }) => problem)),
        [
          ['too-large', null],
          [null, null],
        ],
      )
      await assert.rejects(port.readObject(big, 299_999), ObjectTooLargeError)
      assert.equal((await port.readObject(big, 300_000))?.content.byteLength, 300_000)
    }
  })

  it('reports a missing blob and reads the remaining files', async (t) => {
    const { repository, port } = await openFixture(t)
    const oids = await publishChain(port, ['one', 'two', 'three'])
    removeLoose(repository, hashObject(port.layout.objectFormat, 'blob', Buffer.from('two')))
    const entries = await readAll(port, oids[2] as Oid)
    assert.deepEqual(
      entries.map(({ oid }) => oid),
      oids,
    )
    assert.deepEqual(
      entries.map(({ files }) => files[0]?.problem),
      [null, 'missing', null],
    )
    assert.equal(await port.readObject(missingOid[port.layout.objectFormat], 1000), null)
  })

  for (const [damage, bytes] of [
    ['garbage', Buffer.from('garbage')],
    ['empty', Buffer.alloc(0)],
    ['truncated', deflateSync(Buffer.from('blob 3\0two')).subarray(0, 9)],
  ] as const) {
    it(`reports a blob damaged as ${damage} and reads the remaining files`, async (t) => {
      const { repository, port } = await openFixture(t)
      const oids = await publishChain(port, ['one', 'two', 'three', 'four'])
      const damaged = ['two', 'three'].map((text) => hashObject(port.layout.objectFormat, 'blob', Buffer.from(text)))
      for (const oid of damaged) damageLoose(repository, oid, bytes)
      const entries = await readAll(port, oids[3] as Oid)
      assert.deepEqual(
        entries.map(({ oid }) => oid),
        oids,
      )
      assert.deepEqual(
        entries.map(({ files }) => files[0]?.problem),
        [null, 'corrupt', 'corrupt', null],
      )
      await assert.rejects(port.readObject(damaged[0] as Oid, 1000), CorruptObjectError)
      assert.equal((await port.readObject(oids[0] as Oid, 1000))?.type, 'commit')
    })
  }

  it('rejects an object whose bytes do not match its id', async (t) => {
    const { repository, port } = await openFixture(t)
    await publishChain(port, ['one'])
    const blob = hashObject(port.layout.objectFormat, 'blob', Buffer.from('one'))
    damageLoose(repository, blob, deflateSync(Buffer.from('blob 3\0two')))
    await assert.rejects(port.readObject(blob, 1000), CorruptObjectError)
    const entries = await readAll(port, (await port.readRef(walRef)) as Oid)
    assert.deepEqual(
      entries.map(({ files }) => files[0]?.problem),
      ['corrupt'],
    )
  })

  it('reports a damaged tree and reads the remaining commits', async (t) => {
    const { repository, port } = await openFixture(t)
    const oids = await publishChain(port, ['one', 'two', 'three'])
    const tree = repository.run('rev-parse', `${oids[1]}^{tree}`) as Oid
    damageLoose(repository, tree, Buffer.from('garbage'))
    const entries = await readAll(port, oids[2] as Oid)
    assert.deepEqual(
      entries.map(({ oid }) => oid),
      oids,
    )
    assert.deepEqual(
      entries.map(({ problem }) => problem),
      [null, `tree ${tree} is corrupt`, null],
    )
  })

  it('ends history at a missing commit and reports the gap', async (t) => {
    const { repository, port } = await openFixture(t)
    const oids = await publishChain(port, ['one', 'two', 'three'])
    removeLoose(repository, oids[1] as Oid)
    const entries = await readAll(port, oids[2] as Oid)
    assert.deepEqual(
      entries.map(({ oid }) => oid),
      [oids[1], oids[2]],
    )
    assert.deepEqual(
      entries.map(({ problem }) => problem),
      [`commit ${oids[1]} is missing`, null],
    )
    assert.deepEqual(
      entries.map(({ gaps }) => gaps),
      [[{ reason: 'missing', kind: 'commit', oid: oids[1] }], []],
    )
  })

  it('reports a missing head as a gap', async (t) => {
    const { repository, port } = await openFixture(t)
    const oids = await publishChain(port, ['one', 'two'])
    const head = oids[1] as Oid
    removeLoose(repository, head)
    const entries = await readAll(port, head)
    assert.deepEqual(
      entries.map(({ oid, problem }) => [oid, problem]),
      [[head, `commit ${head} is missing`]],
    )
    assert.deepEqual(entries[0]?.gaps, [{ reason: 'missing', kind: 'commit', oid: head }])
  })

  it('reports a missing tree as a gap of its commit', async (t) => {
    const { repository, port } = await openFixture(t)
    const oids = await publishChain(port, ['one', 'two'])
    const tree = repository.run('rev-parse', `${oids[0]}^{tree}`) as Oid
    removeLoose(repository, tree)
    const entries = await readAll(port, oids[1] as Oid)
    assert.deepEqual(
      entries.map(({ gaps }) => gaps),
      [[{ reason: 'missing', kind: 'tree', oid: tree }], []],
    )
  })

  for (const [state, damage] of Object.entries({
    missing: removeLoose,
    empty: (repository: TempRepository, oid: Oid) => damageLoose(repository, oid, Buffer.alloc(0)),
    corrupt: (repository: TempRepository, oid: Oid) => damageLoose(repository, oid, Buffer.from('no object')),
  })) {
    it(`finds merge bases newer than a ${state} commit`, async (t) => {
      const { repository, port } = await openFixture(t)
      const oids = (await publishChain(port, ['one', 'two', 'three', 'four', 'five'])) as [Oid, Oid, Oid, Oid, Oid]
      const side = sampleCommit(port.layout.objectFormat, [oids[3]], 'side')
      await port.publish({ objects: side.objects, updates: [] })
      damage(repository, oids[1])
      assert.equal(await port.findMergeBase(oids[4], oids[3]), oids[3])
      assert.equal(await port.findMergeBase(oids[4], oids[2]), oids[2])
      assert.equal(await port.findMergeBase(oids[4], side.oid), oids[3])
      assert.equal(await port.isAncestor(oids[2], oids[4]), true)
      assert.equal(await port.findMergeBase(oids[4], oids[0]), null)
      assert.equal(await port.isAncestor(oids[0], oids[4]), false)
    })
  }

  it('lists commits newest first without files', async (t) => {
    const { repository, port } = await openFixture(t)
    const oids = await publishChain(port, ['one', 'two', 'three\n\nwith a body'])
    const [first, second, third] = oids as [Oid, Oid, Oid]
    const tree = (oid: Oid) => repository.run('rev-parse', `${oid}^{tree}`)
    const shared = { committedAtUnixSeconds: 1_700_000_000, problem: null, gap: null }
    assert.deepEqual(await listAll(port, third), [
      { oid: third, tree: tree(third), parents: [second], message: 'three\n\nwith a body', ...shared },
      { oid: second, tree: tree(second), parents: [first], message: 'two', ...shared },
      { oid: first, tree: tree(first), parents: [], message: 'one', ...shared },
    ])
    const idsOf = async (head: Oid, exclude: readonly Oid[]) =>
      (await listAll(port, head, exclude)).map(({ oid }) => oid)
    assert.deepEqual(await idsOf(third, [first]), [third, second])
    assert.deepEqual(await idsOf(third, [third]), [])
    assert.deepEqual(await idsOf(first, [third]), [])
    await assert.rejects(listAll(port, third, [missingOid[port.layout.objectFormat]]), NotFoundError)
  })

  it('lists both sides of a merge, without excluded commits and their ancestors', async (t) => {
    const { port } = await openFixture(t)
    const { objectFormat } = port.layout
    const [base] = (await publishChain(port, ['base'])) as [Oid]
    const [left, right] = ['left', 'right'].map((name) => sampleCommit(objectFormat, [base], name))
    assert.ok(left !== undefined && right !== undefined)
    const merge = sampleCommit(objectFormat, [left.oid, right.oid], 'merge')
    await port.publish(planOf({ ...merge, objects: [...left.objects, ...right.objects, ...merge.objects] }, base))
    const idsOf = async (exclude: readonly Oid[]) => (await listAll(port, merge.oid, exclude)).map(({ oid }) => oid)
    assert.deepEqual(await idsOf([]), [merge.oid, left.oid, right.oid, base])
    assert.deepEqual(await idsOf([left.oid]), [merge.oid, right.oid])
    assert.deepEqual(await idsOf([left.oid, right.oid]), [merge.oid])
  })

  it('lists a missing commit with its problem after all newer commits', async (t) => {
    const { port } = await openFixture(t)
    const { objectFormat } = port.layout
    const gone = missingOid[objectFormat]
    const oldest = sampleCommit(objectFormat, [gone], 'oldest')
    const newest = sampleCommit(objectFormat, [oldest.oid], 'newest')
    await port.publish({ objects: [...oldest.objects, ...newest.objects], updates: [] })
    const listed = await listAll(port, newest.oid)
    assert.deepEqual(
      listed.map(({ oid, gap }) => ({ oid, gap })),
      [
        { oid: newest.oid, gap: null },
        { oid: oldest.oid, gap: null },
        { oid: gone, gap: { reason: 'missing', kind: 'commit', oid: gone } },
      ],
    )
    assert.match(listed[2]?.problem ?? '', /is missing/)
  })

  it('lists the newest commits of a long chain without reading the rest', async (t) => {
    const { repository, port } = await openFixture(t)
    const chain = 4000
    const commits = Array.from({ length: chain }, (_value, number) => {
      return `commit refs/heads/long\ncommitter T <t@example.com> ${1_700_000_000 + number} +0000\ndata <<E\n${number}\nE\n`
    })
    repository.gitWith(commits.join('\n'), repository.path, 'fast-import', '--quiet')
    const head = repository.run('rev-parse', 'refs/heads/long') as Oid
    for await (const batch of port.listCommits({ head })) {
      assert.equal(batch[0]?.message, `${chain - 1}\n`)
      assert.ok(batch.length < chain / 2, `${batch.length} commits`)
      break
    }
  })

  it('ends history at a shallow boundary and reports the gap', async (t) => {
    const { repository, port } = await openFixture(t)
    const oids = (await publishChain(port, ['one', 'two', 'three', 'four'])) as [Oid, Oid, Oid, Oid]
    assert.deepEqual(await port.findCutCommits([oids[3]]), [])
    const file = join(repository.layout.commonDir, 'shallow')
    // Besides the boundary of the log: a missing commit, and a commit outside the log.
    const other = sampleCommit(port.layout.objectFormat, [missingOid[port.layout.objectFormat]], 'other')
    await port.publish({ objects: other.objects, updates: [] })
    writeFileSync(file, `${missingOid[port.layout.objectFormat]}\n${other.oid}\n${oids[2]}\n`)
    for (const isHere of [true, false]) {
      if (!isHere) removeLoose(repository, oids[1])
      const entries = await readAll(port, oids[3])
      assert.deepEqual(
        entries.map(({ oid, parents, problem, gaps }) => ({ oid, parents, problem, gaps })),
        [
          {
            oid: oids[2],
            parents: [oids[1]],
            problem: null,
            gaps: [{ reason: 'shallow', kind: 'commit', oid: oids[1] }],
          },
          { oid: oids[3], parents: [oids[2]], problem: null, gaps: [] },
        ],
      )
      const listed = await listAll(port, oids[3])
      assert.deepEqual(
        listed.map(({ oid, parents, gap }) => ({ oid, parents, gap })),
        [
          { oid: oids[3], parents: [oids[2]], gap: null },
          { oid: oids[2], parents: [oids[1]], gap: { reason: 'shallow', kind: 'commit', oid: oids[1] } },
        ],
      )
      assert.deepEqual(await port.findCutCommits([oids[3]]), [{ oid: oids[2], parent: oids[1] }])
      assert.equal(await port.isAncestor(oids[0], oids[3]), false)
      assert.equal(await port.findMergeBase(oids[2], oids[3]), oids[2])
      assert.deepEqual(await readAll(port, oids[3], [oids[3]]), [])
    }
  })

  it('reports no gap for a root commit listed as shallow', async (t) => {
    const { repository, port } = await openFixture(t)
    const oids = await publishChain(port, ['one', 'two'])
    writeFileSync(join(repository.layout.commonDir, 'shallow'), `${oids[0]}\n`)
    const entries = await readAll(port, oids[1] as Oid)
    assert.deepEqual(
      entries.map(({ oid, gaps }) => [oid, gaps.length]),
      oids.map((oid) => [oid, 0]),
    )
    assert.deepEqual(await port.findCutCommits([oids[1] as Oid]), [])
  })

  it('ignores grafts when reading history', async (t) => {
    const { repository, port } = await openFixture(t)
    const oids = (await publishChain(port, ['one', 'two', 'three'])) as [Oid, Oid, Oid]
    mkdirSync(join(repository.layout.commonDir, 'info'), { recursive: true })
    writeFileSync(join(repository.layout.commonDir, 'info/grafts'), `${oids[1]}\n`)
    assert.equal((await readAll(port, oids[2])).length, 3)
    assert.equal(await port.isAncestor(oids[0], oids[2]), true)
  })

  it('publishes a commit whose objects already exist', async (t) => {
    const { repository, port } = await openFixture(t)
    const commit = sampleCommit(port.layout.objectFormat, [], 'one')
    await port.publish({ objects: commit.objects, updates: [] })
    const path = looseObjectPath(repository.layout, commit.oid)
    utimesSync(path, 1000, 1000)
    await port.publish(planOf(commit, null))
    const age = Number(repository.run('log', '-1', '--format=%ct', walRef))
    assert.equal(age, 1_700_000_000)
    assert.ok(readFileSync(path).length > 0)
    repository.run('-c', 'gc.pruneExpire=now', 'fsck', '--strict', '--no-dangling')
  })

  it('rewrites lost objects when they are published again', async (t) => {
    const { repository, port } = await openFixture(t)
    const commit = sampleCommit(port.layout.objectFormat, [], 'one')
    await port.publish(planOf(commit, null))
    for (const { oid } of commit.objects) removeLoose(repository, oid)
    await port.publish({ objects: commit.objects, updates: [] })
    repository.run('fsck', '--strict', '--no-dangling')
  })

  it('publishes a large batch that gc keeps complete', {
    skip: !supports.packs && 'not supported: packs',
  }, async (t) => {
    const { repository, port } = await openFixture(t)
    const blobs = Array.from({ length: 400 }, (_value, index) => [`f${index}`, `content ${index}`] as const)
    const commit = sampleCommit(port.layout.objectFormat, [], 'large', Object.fromEntries(blobs))
    await port.publish(planOf(commit, null))
    const packs = join(repository.layout.objectDir, 'pack')
    assert.equal(existsSync(packs), true)
    assert.equal(repository.run('count-objects', '-v').includes('garbage: 0'), true)
    repository.run('gc', '-q', '--prune=now')
    repository.run('fsck', '--strict', '--no-dangling')
    const [entry] = await readAll(port, commit.oid)
    assert.equal(entry?.files.length, 400)
  })

  it('works after its ref and reflog directories are removed', {
    skip: kind === 'reftable' && 'refs are not files',
  }, async (t) => {
    const { repository, port } = await openFixture(t)
    const [first] = await publishChain(port, ['one'])
    repository.run('pack-refs', '--all')
    rmSync(dirname(looseRefPath(repository.layout, walRef)), { recursive: true, force: true })
    rmSync(reflogPath(repository.layout, walRef), { force: true })
    assert.equal(await port.readRef(walRef), first)
    const [second] = await publishChain(port, ['two'])
    assert.equal(repository.run('rev-parse', walRef), second)
  })

  it('a ref may replace empty directories but not other refs', {
    skip: kind === 'reftable' && 'refs are not files',
  }, async (t) => {
    const { repository, port } = await openFixture(t)
    const commit = sampleCommit(port.layout.objectFormat, [], 'one')
    const ref = parseRefName('refs/grite/a')
    mkdirSync(looseRefPath(repository.layout, `${ref}/b/c`), { recursive: true })
    await port.publish(planOf(commit, null, ref))
    assert.equal(repository.run('rev-parse', ref), commit.oid)
    await assert.rejects(port.publish(planOf(commit, null, parseRefName(`${ref}/below`))))
    assert.deepEqual(await port.listRefs('refs/grite/'), [{ ref, oid: commit.oid }])
  })

  it('close may be called twice; publishing afterwards fails', async (t) => {
    const { port } = await openFixture(t)
    await publishChain(port, ['one'])
    await port.readObject(missingOid[port.layout.objectFormat], 10)
    await port.close()
    await port.close()
    const commit = sampleCommit(port.layout.objectFormat, [], 'closed')
    await assert.rejects(port.publish(planOf(commit, null)))
  })

  it('stores and reads an empty blob and an empty tree', async (t) => {
    const { port } = await openFixture(t)
    const objects = (['blob', 'tree'] as const).map((type) =>
      encodeObject(port.layout.objectFormat, type, new Uint8Array(0)),
    )
    await port.publish({ objects, updates: [] })
    for (const { oid, type } of objects) {
      const found = await port.readObject(oid, 0)
      assert.deepEqual([found?.type, found?.content.byteLength], [type, 0])
    }
  })
}

function plainEntry(entry: Awaited<ReturnType<typeof readAll>>[number]) {
  return { ...entry, files: entry.files.map((file) => ({ ...file, content: String(file.content) })) }
}

function removeLoose(repository: TempRepository, oid: Oid): void {
  rmSync(looseObjectPath(repository.layout, oid))
}

function damageLoose(repository: TempRepository, oid: Oid, bytes: Uint8Array): void {
  const path = looseObjectPath(repository.layout, oid)
  chmodSync(path, 0o644)
  writeFileSync(path, bytes)
}
