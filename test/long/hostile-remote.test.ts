/** Remotes with content that no grite wrote. */
import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Oid } from '../../src/git/index.ts'
import { walRef } from '../../src/wal/index.ts'
import { stopsAtBrokenRefs } from '../git/git-features.ts'
import { batchOf, comment, creation, filesOf, issueId, makeEvent, writeBatch, writeCommit } from '../support/log.ts'
import { type Clones, createClones, type Member } from '../sync/clones.ts'

/** Objects in place of the remote log, by git type. */
const noLogs: Readonly<Record<string, (setup: Clones) => string>> = {
  blob: (setup) => setup.feedOrigin('no log', 'hash-object', '-w', '--stdin'),
  tree: (setup) => setup.feedOrigin('', 'mktree'),
  tag: (setup) => {
    const commit = sourceCommit(setup)
    return setup.feedOrigin(`object ${commit}\ntype commit\ntag x\ntagger a <a@b> 1 +0000\n\nx\n`, 'mktag')
  },
  'commit of source code': sourceCommit,
}

function sourceCommit(setup: Clones): string {
  const blob = setup.feedOrigin('int main;', 'hash-object', '-w', '--stdin')
  return setup.inOrigin('commit-tree', '-m', 'code', setup.feedOrigin(`100644 blob ${blob}\tmain.c\n`, 'mktree'))
}

for (const [kind, make] of Object.entries(noLogs)) {
  test(`a ${kind} in place of the remote log is refused until repaired`, async (t) => {
    const setup = createClones(t)
    const [ann, bo] = [setup.clone('ann'), setup.clone('bo')]
    await ann.create('of ann')
    const before = ann.head()
    const object = make(setup)
    setup.inOrigin('update-ref', '--no-deref', 'refs/heads/x', sourceCommit(setup))
    setRef(setup, walRef, object)
    for (const clone of [ann, bo]) {
      const failure = await clone.failSync()
      assert.deepEqual(
        [failure.exit, failure.code, failure.details.reason, failure.details.object_id],
        [5, 'remote_error', 'corrupt', object],
      )
    }
    assert.deepEqual([ann.head(), bo.head()], [before, ''])
    assert.deepEqual([await ann.titles(), await bo.titles()], [['of ann'], []])
    setup.inOrigin('update-ref', '-d', walRef)
    assert.equal((await ann.sync()).push_changed, true)
    assert.equal((await bo.sync()).pull_events, 1)
    await ann.assertSound()
  })
}

/** Creates a ref that `git update-ref` alone would refuse, as a lying server has. */
function setRef(setup: Clones, ref: string, object: string): void {
  setup.feedOrigin(`create ${ref} ${object}\n`, 'update-ref', '--stdin')
}

test('a folder of refs in place of the remote log is refused', async (t) => {
  const setup = createClones(t)
  const ann = setup.clone('ann')
  await ann.create('one')
  await ann.sync()
  setup.inOrigin('update-ref', '-d', walRef)
  setup.inOrigin('update-ref', `${walRef}/x`, sourceCommit(setup))
  const failure = await ann.failSync()
  assert.deepEqual([failure.exit, failure.code, failure.details.reason], [5, 'remote_error', 'corrupt'])
  assert.match(failure.message, /refs\/grite\/wal\/x/)
  setup.inOrigin('update-ref', '-d', `${walRef}/x`)
  assert.equal((await ann.sync()).push_changed, true)
})

test('source code on a remote log is skipped with a warning', async (t) => {
  const setup = createClones(t)
  const [ann, bo] = [setup.clone('ann'), setup.clone('bo')]
  await ann.create('one')
  await ann.sync()
  const tree = setup.inOrigin('rev-parse', `${sourceCommit(setup)}^{tree}`)
  setup.inOrigin('update-ref', walRef, setup.inOrigin('commit-tree', '-m', 'x', '-p', walRef, tree))
  await bo.create('two')
  assert.equal((await bo.sync()).pull_events, 1)
  assert.deepEqual(bo.takeWarnings(), ['log-problem'])
  await ann.sync()
  assert.deepEqual(
    [await ann.titles(), await bo.titles()],
    [
      ['one', 'two'],
      ['one', 'two'],
    ],
  )
})

test('five hundred invalid remote refs do not block a sync', async (t) => {
  const setup = createClones(t)
  const [ann, bo] = [setup.clone('ann'), setup.clone('bo')]
  await ann.create('one')
  await ann.sync()
  const objects = [noLogs.blob, noLogs.tree, noLogs.tag].map((make) => make?.(setup))
  const folders = ['grite/snapshots', 'grite/locks', 'grite-leases', 'grite/wat', 'grite/wallaby', 'grite/wa']
  const refs = folders.flatMap((folder) =>
    objects.flatMap((object, kind) =>
      Array.from({ length: 30 }, (_, index) => ({ ref: `refs/${folder}/${kind}/\u00e4${index}`, object })),
    ),
  )
  setup.feedOrigin(refs.map(({ ref, object }) => `create ${ref} ${object}\n`).join(''), 'update-ref', '--stdin')
  await bo.create('two')
  assert.equal((await bo.sync()).events_rebased, 1)
  assert.deepEqual(
    [await bo.titles(), bo.takeWarnings()],
    [
      ['one', 'two'],
      ['snapshot-refused', 'remote-refs-left-out'],
    ],
  )
  setup.feedOrigin(refs.map(({ ref }) => `delete ${ref}\n`).join(''), 'update-ref', '--stdin')
  await bo.sync()
  assert.equal(bo.git('for-each-ref', '--format=x', 'refs/grite-remotes'), 'x')
})

/** Lock refs of a remote that no clone can fetch. */
const unfetchable: Readonly<Record<string, (setup: Clones, clone: Member) => void>> = {
  'names a missing object': (setup) => writeFileSync(join(setup.origin, 'refs/grite/locks/x'), `${'ab'.repeat(20)}\n`),
  'names an object refused by fetch.fsckObjects': (setup, clone) => {
    const text = `tree ${setup.feedOrigin('', 'mktree')}\nauthor nobody\n\nx`
    const commit = setup.feedOrigin(text, 'hash-object', '-t', 'commit', '-w', '--literally', '--stdin')
    writeFileSync(join(setup.origin, 'refs/grite/locks/x'), `${commit}\n`)
    clone.git('config', 'fetch.fsckObjects', 'true')
  },
}
for (const [title, make] of Object.entries(unfetchable)) {
  test(`a remote lock that ${title} does not block the log`, async (t) => {
    const setup = createClones(t)
    const [ann, bo] = [setup.clone('ann'), setup.clone('bo')]
    await ann.create('one')
    await ann.sync()
    mkdirSync(join(setup.origin, 'refs/grite/locks'))
    make(setup, bo)
    await bo.create('two')
    // git 2.30 does not offer a dangling ref.
    const isOffered = bo.git('ls-remote', 'origin').includes('refs/grite/locks/x')
    // A remote with a dangling ref accepts no push at all.
    assert.equal((await bo.sync({ pull: true })).pull_events, 1)
    assert.deepEqual([await bo.titles(), bo.takeWarnings()], [['one', 'two'], isOffered ? ['remote-refs-unread'] : []])
  })
}

test('a broken local ref is blamed on this repository, not the remote', async (t) => {
  const setup = createClones(t)
  const [ann, bo] = [setup.clone('ann'), setup.clone('bo')]
  for (const one of [ann, bo]) {
    await one.create('one')
    await one.sync()
  }
  const ref = 'refs/grite/snapshots/1600000000000'
  mkdirSync(join(ann.path, '.git/refs/grite/snapshots'))
  writeFileSync(join(ann.path, '.git', ref), '')
  if (!stopsAtBrokenRefs(ann.path, setup.environment)) {
    assert.equal((await ann.sync()).pull_events, 1)
    return t.skip('this git skips refs that name nothing')
  }
  const failure = await ann.failSync()
  assert.deepEqual([failure.code, failure.details.ref], ['internal_error', ref])
  assert.match(failure.message, /of this repository/)
  rmSync(join(ann.path, '.git', ref))
  assert.equal((await ann.sync()).pull_events, 1)
})

/** Damage on the remote's chain, and the issues still visible. */
const damages: Readonly<Record<string, { make(setup: Clones): Promise<void>; sees: readonly string[] }>> = {
  'a truncated chunk': {
    make: (setup) => push(setup, (files, path) => files.set(path, (files.get(path) as Uint8Array).subarray(0, 60))),
    sees: ['first', 'later'],
  },
  'a chunk of an unknown format': {
    make: (setup) => push(setup, (files, path) => files.set(path, Buffer.from('GRITECNK what'))),
    sees: ['first', 'later'],
  },
  'a chunk under a wrong name': {
    make: (setup) =>
      push(setup, (files, path) => {
        const content = files.get(path) as Uint8Array
        files.delete(path)
        files.set('events/2020/01/01/0000.bin', content)
      }),
    sees: ['damaged', 'first', 'later'],
  },
  'a malformed meta.json': {
    make: (setup) => push(setup, (files) => files.set('meta.json', Buffer.from('{'))),
    sees: ['damaged', 'first', 'later'],
  },
  'two chunks in one commit': {
    make: (setup) =>
      push(setup, (files, path) => files.set('events/2020/01/01/0000.bin', files.get(path) as Uint8Array)),
    sees: ['damaged', 'first', 'later'],
  },
}

type Files = ReturnType<typeof filesOf>

/** Adds a damaged commit to the remote's chain, and a sound one after it. */
async function push(setup: Clones, change: (files: Files, chunkPath: string) => unknown): Promise<void> {
  const head = setup.originHead() as Oid
  const next = await setup.onOrigin(async (git) => {
    const files = filesOf(batchOf([creation(issueId('da'), 'damaged')]), head)
    change(files, [...files.keys()].find((path) => path.endsWith('.bin')) as string)
    return writeBatch(git, batchOf([creation(issueId('fe'), 'later')]), await writeCommit(git, files, [head]))
  })
  setup.inOrigin('update-ref', walRef, next)
}

for (const [title, { make, sees }] of Object.entries(damages)) {
  test(`${title} hides no other event and loses none`, async (t) => {
    const setup = createClones(t)
    const [ann, bo] = [setup.clone('ann'), setup.clone('bo')]
    await ann.create('first')
    await ann.sync()
    await bo.sync()
    await make(setup)
    await ann.create('of ann')
    await ann.sync()
    await bo.sync()
    for (const clone of [ann, bo]) {
      assert.deepEqual(await clone.titles(), [...sees, 'of ann'].sort())
      assert.deepEqual([...new Set(clone.takeWarnings())], ['log-problem'])
      const ids = await clone.ids()
      if (title !== 'two chunks in one commit') assert.equal(new Set(ids).size, ids.length)
    }
    assert.deepEqual([ann.head(), bo.head()], [setup.originHead(), setup.originHead()])
  })
}

test('a merge on the remote chain shows the events of both sides', async (t) => {
  const setup = createClones(t)
  const [ann, bo] = [setup.clone('ann'), setup.clone('bo')]
  await ann.create('first')
  await ann.sync()
  await bo.sync()
  await bo.create('of bo')
  const head = setup.originHead() as Oid
  const merge = await setup.onOrigin(async (git) => {
    const left = await writeBatch(git, batchOf([creation(issueId('a1'), 'left')]), head)
    const right = await writeBatch(git, batchOf([creation(issueId('a2'), 'right')]), head)
    return writeCommit(git, filesOf(batchOf([creation(issueId('a3'), 'merge')]), left), [left, right])
  })
  setup.inOrigin('update-ref', walRef, merge)
  await bo.sync()
  await ann.sync()
  for (const clone of [ann, bo]) {
    assert.deepEqual(await clone.titles(), ['first', 'left', 'merge', 'of bo', 'right'])
    const ids = await clone.ids()
    assert.deepEqual([ids.length, new Set(ids).size], [5, 5])
  }
  assert.equal(bo.git('rev-list', '--merges', '--count', walRef), '1')
})

test('an event repeated on the remote is not written again', async (t) => {
  const setup = createClones(t)
  const [ann, bo] = [setup.clone('ann'), setup.clone('bo')]
  const event = creation(issueId('aa'), 'twice')
  setup.inOrigin('update-ref', walRef, await setup.onOrigin((git) => writeBatch(git, batchOf([event]), null)))
  await ann.sync()
  await bo.sync()
  // The same event a second time, on ann's side and on the remote's.
  const repeat = async (clone: Member) =>
    clone.withRepository(async ({ git }) => {
      const head = await git.readRef(walRef)
      const next = await writeBatch(git, batchOf([event, comment(issueId('aa'), clone.path)]), head)
      await git.publish({
        objects: [],
        updates: [{ ref: walRef, expected: head, next, reflogMessage: 'a rust tool', keepsReflog: true }],
      })
    })
  await repeat(bo)
  await bo.sync()
  await repeat(ann)
  await ann.create('other')
  await ann.sync()
  await bo.sync()
  for (const clone of [ann, bo]) {
    const ids = await clone.ids()
    assert.deepEqual([ids.filter((id) => id === event.eventId).length, ids.length], [2, 5])
    assert.deepEqual(await clone.titles(), ['other', 'twice'])
  }
})

test('an event repeated on another remote reaches no chain twice', async (t) => {
  const setup = createClones(t)
  const ann = setup.clone('ann')
  setup.git(setup.dir, 'init', '-q', '--bare', '--template=', 'backup.git')
  ann.git('remote', 'add', 'backup', '../backup.git')
  const event = creation(issueId('aa'), 'twice')
  const first = await setup.onOrigin((git) => writeBatch(git, batchOf([event]), null))
  const again = await setup.onOrigin((git) =>
    writeBatch(git, batchOf([event, creation(issueId('bb'), 'of backup')]), first),
  )
  setup.inOrigin('update-ref', walRef, first)
  setup.inOrigin('push', '-q', '../backup.git', `${again}:${walRef}`)
  await ann.sync()
  await ann.create('of ann')
  await ann.sync({ remote: 'backup' })
  const ids = await ann.ids()
  assert.deepEqual([ids.length, new Set(ids).size], [3, 3])
})

const day = 86_400_000
for (const [title, annOff, boOff] of [
  ['a day ahead', day, 0],
  ['a day behind', -day, 0],
  ['a day apart both ways', day, -day],
] as const) {
  test(`clocks ${title} do not change what clones see`, async (t) => {
    const setup = createClones(t)
    const ann = setup.clone('ann', { nowUnixMs: () => Date.now() + annOff })
    const bo = setup.clone('bo', { nowUnixMs: () => Date.now() + boOff })
    const { issue_id: issue } = (await ann.run('issue create', { title: 'shared' })) as { issue_id: string }
    await ann.sync()
    await bo.sync()
    await bo.run('issue update', { issue: [issue], title: 'of bo' })
    await ann.run('issue comment', { issue, body: 'of ann' })
    await bo.run('issue close', { issue: [issue] })
    await ann.sync()
    await bo.sync()
    // A write made after seeing other events wins, whatever the clocks say.
    await ann.sync()
    await ann.run('issue update', { issue: [issue], title: 'last word' })
    await ann.sync()
    await bo.sync()
    const seen = await Promise.all([ann, bo].map((clone) => clone.run('issue show', { issue })))
    assert.deepEqual(seen[0], seen[1])
    assert.deepEqual([await bo.titles(), new Set(await bo.ids()).size], [['last word'], 5])
    await bo.assertSound()
  })
}

/** What happens to a remote after ann and bo synced, and the warning of the next sync. */
const fates: readonly (readonly [
  title: string,
  happen: (setup: Clones) => Promise<unknown> | unknown,
  warns: string,
])[] = [
  ['moved back', (setup) => setup.inOrigin('update-ref', walRef, `${walRef}~1`), 'remote-rewound'],
  [
    'forced to an unrelated root',
    async (setup) =>
      setup.inOrigin(
        'update-ref',
        walRef,
        await setup.onOrigin((git) => writeBatch(git, batchOf([creation(issueId('ee'), 'unrelated')]), null)),
      ),
    'remote-rewound',
  ],
  [
    'deleted and rebuilt',
    (setup) => {
      rmSync(setup.origin, { recursive: true })
      setup.git(setup.dir, 'init', '-q', '--bare', '--template=', setup.origin)
    },
    'remote-lost',
  ],
  [
    'swept by a mirror push',
    (setup) => {
      setup.git(setup.dir, 'init', '-q', '-b', 'main', 'sweeper')
      setup.git(`${setup.dir}/sweeper`, 'commit', '-q', '--allow-empty', '-m', 'x')
      setup.git(`${setup.dir}/sweeper`, 'push', '-q', '--mirror', setup.origin)
    },
    'remote-lost',
  ],
]
for (const [title, happen, warns] of fates) {
  test(`a remote ${title} gets everything back with a sync`, async (t) => {
    const setup = createClones(t)
    const [ann, bo] = [setup.clone('ann'), setup.clone('bo')]
    for (const name of ['one', 'two']) await ann.create(name)
    await ann.sync()
    await bo.sync()
    await happen(setup)
    await bo.create('of bo')
    assert.equal((await bo.sync()).push_success, true)
    assert.deepEqual(bo.takeWarnings(), [warns])
    await ann.sync()
    const wanted = ['of bo', 'one', 'two', ...(title.includes('unrelated') ? ['unrelated'] : [])]
    for (const clone of [ann, bo]) {
      assert.deepEqual(await clone.titles(), wanted)
      const ids = await clone.ids()
      assert.equal(new Set(ids).size, ids.length)
      assert.equal(clone.head(), setup.originHead())
      await clone.assertSound()
    }
    assert.equal((await bo.sync()).message, 'Already up to date')
    assert.deepEqual(bo.takeWarnings(), [])
  })
}

test('a remote event of any date is merged by that date', async (t) => {
  const setup = createClones(t)
  const ann = setup.clone('ann')
  const far = makeEvent(issueId('aa'), { type: 'IssueCreated', title: 'early', body: '', labels: [] }, { ts: 0 })
  const before = makeEvent(issueId('ab'), { type: 'CommentAdded', body: 'no issue yet' }, { ts: 5 })
  const late = makeEvent(
    issueId('aa'),
    { type: 'IssueUpdated', title: 'of the far future', body: null },
    { ts: Number.MAX_SAFE_INTEGER },
  )
  setup.inOrigin(
    'update-ref',
    walRef,
    await setup.onOrigin((git) => writeBatch(git, batchOf([far, before, late]), null)),
  )
  await ann.create('now')
  await ann.sync()
  assert.deepEqual(await ann.titles(), ['now', 'of the far future'])
})
