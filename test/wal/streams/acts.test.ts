import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { GitObject, Oid } from '../../../src/git/index.ts'
import { encodeCbor } from '../../../src/model/cbor.ts'
import { ConflictError, NotFoundError } from '../../../src/model/index.ts'
import { nextOffsetOf, proofDocument, type StreamId, verifyProof } from '../../../src/model/streams/index.ts'
import { publishBatch } from '../../../src/wal/append.ts'
import { generateKeyPair, signerFromSeed } from '../../../src/wal/index.ts'
import type { RetainStream, StreamDamage, StreamStore } from '../../../src/wal/streams/index.ts'
import { loadSegmentTools } from '../../../src/wal/streams/open-segment.ts'
import { sealRecords } from '../../../src/wal/streams/seal-records.ts'
import { segmentStream } from '../../../src/wal/streams/stream-codec.ts'
import {
  branching,
  cloneB,
  createMemoryRepository,
  creation,
  draft,
  id,
  local,
  type MemoryRepository,
  readAll,
  textsOf,
} from './store-setup.ts'

const [root, branch, twig, merged] = [id('root'), id('branch'), id('twig'), id('merged')]
const deed = { actor: null, reason: 'because' }
const merging = {
  ...({ into: 'new', actor: null, reason: null, preview: false, policy: 'interleave' } as const),
  ...{ labels: [], evidence: [], notes: [], rows: [] },
}

/** A root of three commits, a branch in the middle, a branch of that below its own records, and a merge of all. */
async function family(t: TestContext): Promise<MemoryRepository & { store: StreamStore }> {
  const repository = createMemoryRepository(t)
  const { clock } = repository
  const store = repository.open()
  const append = async (stream: StreamId, ...texts: string[]) => {
    clock.at += 10
    await store.append(
      stream,
      texts.map((text) => draft(text, { producer: { id: 'p', sequence: clock.at } })).slice(0, 1),
      local,
    )
    for (const text of texts.slice(1)) await store.append(stream, [draft(text)], local)
    await store.seal(stream)
  }
  await store.create(root, creation)
  await append(root, 'a', 'b', 'c')
  await append(root, 'd')
  await store.branch(branch, root, { ...branching, at: 2 })
  await append(root, 'e', 'f')
  await append(branch, 'x', 'y')
  await store.branch(twig, branch, { ...branching, at: 1 })
  await append(twig, 'z')
  const sources = [{ streamId: branch }, { streamId: root }, { streamId: twig }]
  await store.acts.merge(merged, { ...merging, sources })
  await append(merged, 'end')
  return { ...repository, store }
}

const everything = [root, branch, twig, merged]

async function problemsOf(store: StreamStore, streams: readonly StreamId[] = everything) {
  const found = []
  for (const stream of streams) for (const { problems } of await store.acts.verify(stream)) found.push(...problems)
  return found
}

describe('verification', () => {
  it('finds nothing wrong with sound streams', async (t) => {
    const { store, open } = await family(t)
    assert.deepEqual(await problemsOf(open()), [])
    const [whole] = await store.acts.verify(root)
    const status = await store.status(root)
    assert.equal(whole?.root, status.root)
    assert.equal(whole?.records, 6)
    await store.append(root, [draft('later')], local)
    let entries = 0
    assert.equal((await store.acts.verify(root, (more) => (entries += more)))[0]?.unsealedRecords, 1)
    assert.equal(entries, 6, 'all are reported as they are checked')
  })

  it('names each altered object, and all else stays readable', async (t) => {
    const { store, world, open } = await family(t)
    const commits = (await Promise.all(everything.map((stream) => chainOf(store, stream)))).flat()
    const before = new Map<StreamId, readonly string[]>()
    for (const stream of everything) before.set(stream, await textsOf(store, stream))
    let flips = 0
    for (const { commit, files } of commits) {
      for (const [name, oid] of files) {
        if (name === 'meta.json') continue
        const object = world.objects.get(oid) as GitObject
        for (let at = flips % 7; at < object.content.length; at += 61) {
          const content = Uint8Array.from(object.content)
          content[at] = (content[at] as number) ^ (1 << (flips++ % 8))
          world.objects.set(oid, { ...object, content })
          const fresh = open()
          // Some facts contradict nothing: git's own check of ids finds them, below.
          await problemsOf(fresh)
          await fresh.close()
        }
        world.objects.set(oid, { ...object, content: new Uint8Array() })
        const problems = await problemsOf(open())
        assert.ok(
          problems.some((found) => found.commit === commit && (name === 'index.cbor' || found.objectId === oid)),
          `${name} of ${commit}: ${JSON.stringify(problems)}`,
        )
        await assertRestReadable(open(), before)
        world.objects.set(oid, object)
      }
    }
    assert.ok(flips > 40)
  })
})

/** Every record that is read is right; unreadable parts are reported. */
async function assertRestReadable(store: StreamStore, before: ReadonlyMap<StreamId, readonly string[]>) {
  let read = 0
  for (const [stream, texts] of before) {
    let damaged = 0
    const found = await readAll(store, stream, { onDamage: () => damaged++ }).catch(() => [])
    for (const record of found) assert.equal(Buffer.from(record.record().payload).toString(), texts[record.offset])
    if (found.length === texts.length) assert.equal(damaged, 0)
    read += found.length
  }
  assert.ok(read > 6)
  await store.close()
}

async function chainOf(store: StreamStore, stream: StreamId) {
  const found: { commit: Oid; files: ReadonlyMap<string, Oid> }[] = []
  for (let commit: Oid | undefined = (await store.head(stream)).commit; commit !== undefined; ) {
    const read = await store.reader.manifests.read(commit)
    found.push({ commit, files: read.files })
    commit = read.manifest.commitCount === 1 ? undefined : read.parents[0]
  }
  return found
}

describe('proofs', () => {
  it('prove every sealed record, inherited and adopted ones too', async (t) => {
    const { store } = await family(t)
    for (const stream of everything) {
      const records = await readAll(store, stream)
      const { root: trusted } = await store.status(stream)
      for (const { offset, bytes } of records) {
        const facts = await store.acts.prove(stream, offset)
        assert.deepEqual(facts.record, bytes)
        const verdict = verifyProof(JSON.stringify(proofDocument(facts)))
        assert.ok(verdict.valid, `${stream} ${offset}: ${JSON.stringify(verdict)}`)
        assert.equal(verdict.root, trusted)
      }
    }
    await store.append(root, [draft('unsealed')], local)
    await assert.rejects(store.acts.prove(root, 6), NotFoundError)
  })
})

describe('checkpoints', () => {
  const { seedHex } = generateKeyPair(new Uint8Array(32).fill(7))
  const signer = signerFromSeed(seedHex) ?? null
  const request = { kind: 'handoff', actor: null, reason: null, signer }

  it('stay valid after seals, merges and retention', async (t) => {
    const { store, open } = await family(t)
    await store.append(root, [draft('g')], local)
    const made = await store.acts.createCheckpoint(root, request)
    assert.equal(made.nextOffset, 7)
    assert.equal(made.root, (await store.status(root)).root)
    await store.acts.createCheckpoint(root, { ...request, signer: null, kind: 'end' })
    await store.append(root, [draft('h')], local)
    await store.acts.merge(root, { ...merging, into: 'existing', sources: [{ streamId: branch }] })
    await retain(store, { policy: { maxAgeMs: null, maxBytes: null, maxCount: 5 } })
    await store.append(root, [draft('i')], local)
    await store.seal(root)
    const checked = await open().acts.verifyCheckpoints(root)
    assert.deepEqual(
      checked.map(({ kind, signature, fault }) => [kind, signature, fault]),
      [
        ['end', 'none', null],
        ['handoff', 'valid', null],
      ],
    )
    assert.deepEqual(await problemsOf(open()), [])
  })

  it('are wrong with another signature', async (t) => {
    const { store } = await family(t)
    const sign = () => new Uint8Array(64)
    await store.acts.createCheckpoint(root, { ...request, signer: { publicKey: '11'.repeat(32), sign } })
    assert.equal((await store.acts.verifyCheckpoints(root))[0]?.signature, 'wrong')
  })
})

describe('an act of a later version', () => {
  const split = { name: 'unknown', text: 'split', bytes: encodeCbor(['split', 1]) } as const

  it('hides no other record, and nothing is appended after it', async (t) => {
    const { store, open } = await family(t)
    await store.act(root, async ({ manifest }) => {
      const sealed = await sealRecords(await loadSegmentTools(), manifest, [(await store.readAt(root, 0)).bytes])
      return { commit: { ...sealed, manifest: { ...sealed.manifest, act: split } } }
    })
    await store.close()
    const after = open()
    assert.deepEqual(await textsOf(after, root, { to: 6 }), ['a', 'b', 'c', 'd', 'e', 'f'])
    const named = /has an act of a later version, 'split', with records/
    await assert.rejects(textsOf(after, root), named)
    await assert.rejects(after.acts.prove(root, 6), named)
    const damage: StreamDamage[] = []
    await textsOf(after, root, { onDamage: (found) => damage.push(found) })
    assert.deepEqual(
      damage.map(({ offsets }) => offsets),
      [{ from: 6, to: 7 }],
    )
    const problems = await problemsOf(after, [root])
    assert.deepEqual(
      problems.map(({ offsets, reason }) => [offsets, named.test(reason)]),
      [[{ from: 6, to: 7 }, true]],
    )
    await assert.rejects(after.append(root, [draft('no')], local), (error: ConflictError) => {
      assert.equal(error.details.reason, 'unknown-act')
      return true
    })
  })

  it('without records is named, and all is readable', async (t) => {
    const { store, open } = await family(t)
    await store.act(branch, async ({ manifest }) => {
      const { commitCount } = manifest
      const bare = { firstOffset: nextOffsetOf(manifest), count: 0, content: null, commitCount: commitCount + 1 }
      return { commit: { manifest: { ...manifest, ...bare, act: split }, segment: null, tsUnixMs: 1 } }
    })
    const after = open()
    assert.deepEqual(await textsOf(after, branch), ['a', 'b', 'x', 'y'])
    const [problem, ...others] = await problemsOf(after, [branch])
    assert.match(problem?.reason ?? '', /has an act of a later version, 'split'$/)
    assert.deepEqual(others, [])
  })
})

it('verification finds a generation that carries on from another cut', async (t) => {
  const { store, open, git } = await family(t)
  await retain(store, { policy: { maxAgeMs: null, maxBytes: null, maxCount: 2 } })
  assert.deepEqual(await problemsOf(open(), [root]), [])
  const { ref, head } = await store.status(root)
  const chain = await chainOf(store, root)
  const { manifest } = await store.reader.manifests.read(chain.at(-1)?.commit as Oid)
  assert.ok(manifest.act?.name === 'carry')
  const forged = { ...manifest, firstOffset: 3, producers: [], act: { ...manifest.act, previousGeneration: 0 } }
  const stream = segmentStream(ref, root, await loadSegmentTools())
  await git.publish({ objects: [], updates: [{ ref, expected: head, next: null, reflogMessage: '' }] })
  await publishBatch({ git, stream }, { manifest: forged, segment: null, tsUnixMs: 1 }, null, [])
  const reasons = (await problemsOf(open(), [root])).map(({ reason }) => reason)
  assert.match(reasons.join(), /from a cut that generation 0 does not have/)
})

const retain = (store: StreamStore, request: Partial<RetainStream>, stream = root) =>
  store.acts.retain(stream, {
    ...{ policy: null, compact: false, actor: null, reason: null, preview: false },
    ...request,
  })

describe('retention', () => {
  it('drops whole segments, keeps offsets and roots, and leaves branches as they are', async (t) => {
    const { store, open } = await family(t)
    const before = await store.status(root)
    const texts = await textsOf(store, branch)
    const policy = { maxAgeMs: null, maxBytes: null, maxCount: 2 }
    const preview = await retain(store, { policy, preview: true })
    assert.equal(preview.dropped, 4)
    assert.deepEqual(await store.status(root), before)
    const done = await retain(store, { policy })
    assert.equal(done.generation, 1)
    assert.equal(done.firstOffset, 4)
    const after = await open().status(root)
    assert.deepEqual(
      [after.firstOffset, after.root, after.nextOffset, after.incarnation],
      [4, before.root, 6, before.incarnation],
    )
    assert.deepEqual(await textsOf(open(), root, { from: 4 }), ['e', 'f'])
    await assert.rejects(store.readAt(root, 3))
    assert.deepEqual(await textsOf(open(), branch), texts)
    await store.append(root, [draft('g')], local)
    assert.deepEqual(await textsOf(open(), root, { from: 5 }), ['f', 'g'])
    assert.deepEqual(await problemsOf(open()), [])
    assert.equal((await retain(store, { policy: { ...policy, maxCount: 9 } })).generation, null)
  })

  it('lets an append of another process go on in the new generation', async (t) => {
    const { store, open, git } = await family(t)
    const { publish } = git
    let late: Promise<{ readonly offset: number }> | undefined
    Object.assign(git, {
      async publish(plan: Parameters<typeof publish>[0]) {
        if (plan.updates.length > 1) {
          late = open().append(root, [draft('late')], local)
          // Until it waits behind the barrier.
          await sleep(20)
        }
        await publish(plan)
      },
    })
    await retain(store, { policy: { maxAgeMs: null, maxBytes: null, maxCount: 2 } })
    assert.equal((await late)?.offset, 6)
    assert.deepEqual(await textsOf(open(), root, { from: 4 }), ['e', 'f', 'late'])
  })

  it('goes by age and by bytes, and never drops the newest', async (t) => {
    const { store, clock } = await family(t)
    clock.at += 3_600_000
    const done = await retain(store, { policy: { maxAgeMs: 60_000, maxBytes: null, maxCount: null } })
    assert.equal(done.firstOffset, 4)
    const bytes = await retain(store, { policy: { maxAgeMs: null, maxBytes: 0, maxCount: null } })
    assert.equal(bytes.generation, null)
    await store.append(root, [draft('new')], local)
    const again = await retain(store, { policy: { maxAgeMs: null, maxBytes: 0, maxCount: null } })
    assert.deepEqual([again.generation, again.firstOffset], [2, 6])
    assert.deepEqual(await textsOf(store, root, { from: 6 }), ['new'])
  })

  it('joins small segments, and nothing else changes', async (t) => {
    const { store, open } = await family(t)
    const [before, texts] = [await store.status(root), await textsOf(store, root)]
    const { commits } = await retain(store, { compact: true })
    const after = await open().status(root)
    assert.deepEqual([after.root, after.nextOffset, after.firstOffset], [before.root, before.nextOffset, 0])
    assert.ok(commits.after < commits.before, JSON.stringify(commits))
    assert.deepEqual(await textsOf(open(), root), texts)
    assert.deepEqual(await problemsOf(open()), [])
    await assert.rejects(retain(store, {}), ConflictError)
    for (const [stream, kind] of [
      [root, null],
      [branch, 'branch'],
      [merged, 'merge'],
    ] as const)
      assert.equal((await retain(store, { compact: true }, stream)).notCompacted, kind)
  })

  it('applies the policy of the stream', async (t) => {
    const { open } = createMemoryRepository(t)
    const store = open()
    await store.create(root, { ...creation, retention: { maxAgeMs: null, maxBytes: null, maxCount: 1 } })
    for (const text of ['a', 'b']) {
      await store.append(root, [draft(text)], local)
      await store.seal(root)
    }
    assert.equal((await retain(store, {})).firstOffset, 1)
    // What was merged before the cut is known afterwards.
    await store.create(branch, creation)
    await store.append(branch, [draft('x')], local)
    const sources = [{ streamId: branch }]
    await store.acts.merge(root, { ...merging, into: 'existing', sources })
    await store.append(root, [draft('c')], local)
    await retain(store, {})
    assert.equal((await store.acts.merge(root, { ...merging, into: 'existing', sources })).records, 0)
    assert.deepEqual(await problemsOf(open(), [root]), [])
  })
})

describe('the retention policy of a stream', () => {
  const retention = { maxAgeMs: null, maxBytes: null, maxCount: 2 }
  const grow = async (store: StreamStore, texts: string) => {
    for (const text of texts) {
      await store.append(root, [draft(text)], local)
      await store.seal(root)
    }
  }
  const generationOf = async (store: StreamStore) => (await store.status(root)).generation

  it('is applied after a seal', async (t) => {
    const { open, clock } = createMemoryRepository(t)
    const store = open()
    await store.create(root, { ...creation, retention })
    await store.branch(branch, root, branching)
    await grow(store, 'abcd')
    assert.deepEqual(await textsOf(store, root, { from: 2 }), ['c', 'd'])
    assert.equal((await store.status(root)).firstOffset, 2)
    await store.append(root, [draft('e')], local)
    assert.deepEqual(await textsOf(open(), root, { from: 2 }), ['c', 'd', 'e'])
    clock.at += 86_400_000
    const generation = await generationOf(store)
    await store.seal(branch)
    assert.equal(await generationOf(store), generation, 'a seal of another stream changes nothing')
    assert.deepEqual(await problemsOf(open(), [root]), [])
  })

  it('is applied after a seal in the background, beside appends', async (t) => {
    const { open } = createMemoryRepository(t)
    const store = open()
    await store.create(root, { ...creation, retention })
    const records = Array.from({ length: 4096 }, (_, index) => draft(`${index}`))
    let offset = 0
    const append = async () => {
      const appended = await store.append(root, records, local)
      assert.equal(appended.offset, offset)
      offset = appended.nextOffset
    }
    for (let number = 0; number < 6; number++) await append()
    await store.close()
    const after = open()
    const { firstOffset, nextOffset, generation } = await after.status(root)
    assert.equal(nextOffset, offset)
    assert.ok(firstOffset > 0 && generation > 0, `begins at ${firstOffset}`)
    assert.equal((await readAll(after, root, { from: firstOffset })).length, offset - firstOffset)
    assert.deepEqual(await problemsOf(after, [root]), [])
  })

  it('costs nothing where nothing is to do, and spares the newest segment', async (t) => {
    const { open, refs } = createMemoryRepository(t)
    const store = open()
    await store.create(root, { ...creation, retention: { maxAgeMs: null, maxBytes: 0, maxCount: 9 } })
    await grow(store, 'a')
    assert.equal(await generationOf(store), 0)
    await store.append(root, [draft('journal')], local)
    const before = new Map(refs)
    await store.acts.applyPolicy(root)
    assert.deepEqual(refs, before, 'not even a seal')
    await grow(store, 'b')
    assert.deepEqual([await generationOf(store), (await store.status(root)).firstOffset], [1, 1])
  })

  it('is left to the clone that owns the stream', async (t) => {
    const { open, clock } = createMemoryRepository(t)
    const store = open()
    await store.create(root, { ...creation, retention: { ...retention, maxCount: null, maxAgeMs: 1000 } })
    await grow(store, 'ab')
    assert.equal(await generationOf(store), 0)
    clock.at += 60_000
    await open(cloneB).acts.applyPolicy(root)
    assert.equal(await generationOf(store), 0)
    await store.acts.applyPolicy(root)
    assert.deepEqual([await generationOf(store), (await store.status(root)).firstOffset], [1, 1])
  })

  it('that fails is named, and stops nothing', async (t) => {
    const { open, git, damage } = createMemoryRepository(t)
    const store = open()
    await store.create(root, { ...creation, retention })
    await grow(store, 'ab')
    const { publish } = git
    git.publish = async (plan) => {
      if (plan.updates.some(({ ref }) => ref.endsWith('.1'))) throw new Error('disk full')
      await publish(plan)
    }
    await grow(store, 'cd')
    assert.match(damage[0]?.reason ?? '', /retention policy was not applied: disk full/)
    assert.deepEqual(await textsOf(store, root), ['a', 'b', 'c', 'd'])
    git.publish = publish
    await grow(store, 'e')
    assert.deepEqual(await textsOf(store, root, { from: 3 }), ['d', 'e'])
  })
})

describe('ownership', () => {
  it('refuses a foreign clone until it takes the stream over', async (t) => {
    const { store, open } = await family(t)
    await store.close()
    const other = open(cloneB)
    await assert.rejects(other.append(root, [draft('no')], local), (error: ConflictError) => {
      assert.equal(error.details?.reason, 'foreign-epoch')
      assert.equal(error.details?.epoch, 1)
      return true
    })
    const taken = await other.acts.takeOver(root, deed)
    assert.deepEqual([taken.epoch.number, taken.owner], [2, 'ours'])
    assert.equal((await other.append(root, [draft('yes')], local)).offset, 6)
    await other.seal(root)
    const back = open()
    await assert.rejects(back.append(root, [draft('late')], local), ConflictError)
    await back.acts.takeOver(root, deed)
    await back.append(root, [draft('again')], local)
    assert.deepEqual((await textsOf(back, root)).slice(6), ['yes', 'again'])
    assert.deepEqual(await problemsOf(open()), [])
    assert.equal((await back.acts.takeOver(root, deed)).epoch.number, 3)
  })

  it('refuses to take over what it has records of that the stream does not have', async (t) => {
    const { store, refs, open } = await family(t)
    await store.append(root, [draft('mine')], local)
    await store.close()
    const ref = [...refs].find(([name]) => name.includes('streams'))
    assert.ok(ref !== undefined)
    const other = open(cloneB)
    // Both clones share the folder of journals here; a foreign journal says the same as one of an old epoch.
    await assert.rejects(other.acts.takeOver(root, deed), ConflictError)
  })
})

describe('deletion', () => {
  it('ends a stream, whose branches stay as they are', async (t) => {
    const { store, open } = await family(t)
    const texts = await textsOf(store, branch)
    const ended = await store.acts.delete(root, deed)
    assert.equal(ended.state, 'deleted')
    await assert.rejects(store.append(root, [draft('no')], local), NotFoundError)
    await assert.rejects(open().status(root), NotFoundError)
    assert.deepEqual(await textsOf(open(), branch), texts)
    assert.equal((await store.status(branch)).parents[0]?.streamId, root)
    const created = await store.create(root, creation)
    assert.notEqual(created.incarnation, ended.incarnation)
    assert.deepEqual([created.generation, created.nextOffset], [1, 0])
    assert.deepEqual(await problemsOf(open()), [])
  })

  it('is followed by an explicit purge, which names what depends on it', async (t) => {
    const { store, refs, open } = await family(t)
    const purge = (more = {}) => store.acts.purge(root, { despiteDependants: false, preview: false, ...more })
    await assert.rejects(purge(), ConflictError)
    const texts = await textsOf(store, merged)
    await store.acts.delete(root, deed)
    const { dependants, removed } = await purge({ preview: true })
    assert.deepEqual(removed, [])
    assert.deepEqual(dependants.map(({ kind, name }) => `${kind} ${name}`).toSorted(), [
      'branch branch',
      'branch twig',
      'merge merged',
    ])
    await assert.rejects(purge(), (error: ConflictError) => error.details?.reason === 'dependants')
    const count = refs.size
    assert.equal((await purge({ despiteDependants: true })).removed.length, 1)
    assert.equal(refs.size, count - 1)
    assert.deepEqual(await textsOf(open(), merged), texts)
    assert.deepEqual(await problemsOf(open()), [])
    await assert.rejects(purge(), NotFoundError)
  })
})
