import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { type Oid, parseCommit } from '../../../src/git/index.ts'
import { CorruptObjectError, DamagedStreamError } from '../../../src/model/index.ts'
import { refOfStream } from '../../../src/wal/streams/stream-refs.ts'
import {
  branching,
  createMemoryRepository,
  creation,
  draft,
  id,
  local,
  type MemoryRepository,
  readAll,
} from './store-setup.ts'

const [stream, other] = [id('build'), id('other')]
const ref = refOfStream(stream, 0)

/** Each leaves a stream whose records cannot all be read. */
const damages: readonly {
  readonly name: string
  readonly damage: (repository: MemoryRepository) => Promise<void>
  readonly message: RegExp
}[] = [
  {
    name: 'a ref that was moved aside',
    async damage({ open, refs, folder }) {
      const [mine, theirs] = [open(), open()]
      await mine.append(stream, [draft('a')], local)
      const fork = refs.get(ref) as Oid
      await mine.seal(stream)
      const sealed = refs.get(ref) as Oid
      removeJournals(folder)
      refs.set(ref, fork)
      await theirs.append(stream, [draft('b')], local)
      await theirs.seal(stream)
      refs.set(ref, sealed)
    },
    message: /^this clone has sealed \w{40}, which is not before \w{40}$/,
  },
  {
    name: 'lost records of a journal',
    async damage({ open, folder }) {
      const store = open()
      for (const text of ['a', 'b lost', 'c']) await store.append(stream, [draft(text)], local)
      const path = join(folder, readdirSync(folder).find((name) => name.endsWith('.journal')) ?? '')
      const bytes = readFileSync(path)
      bytes.write('X', bytes.indexOf('lost'))
      writeFileSync(path, bytes)
    },
    message: /^journal \S+: bytes \d+ to \d+ are no frame$|^journal \S+: records 1 to 1 are missing/,
  },
  {
    name: 'a missing segment',
    async damage(repository) {
      await sealTwice(repository)
      await removeNewestSegment(repository)
    },
    message: /^object \w{40} is missing$/,
  },
  {
    name: 'a missing commit below the head',
    async damage({ open, world, refs, folder }) {
      await sealTwice({ open })
      removeJournals(folder)
      const head = world.objects.get(refs.get(ref) as Oid)
      world.objects.delete(parseCommit(head?.content as Uint8Array).parents[0] as Oid)
    },
    message: /^object \w{40} is missing$/,
  },
  {
    name: 'a ref that is no commit of the stream',
    async damage({ open, refs }) {
      await open().create(other, creation)
      refs.set(ref, refs.get(refOfStream(other, 0)) as Oid)
    },
    message: /^stream 'build' \(\S+\): \w{40} is a commit of another stream$/,
  },
  {
    name: 'a missing source of a merge',
    async damage(repository) {
      const store = repository.open()
      await store.append(stream, [draft('a')], local)
      await store.branch(other, stream, branching)
      await store.append(other, [draft('b')], local)
      await store.append(stream, [draft('c')], local)
      await store.seal(stream)
      await store.seal(other)
      await store.acts.merge(stream, {
        ...({ into: 'existing', policy: 'recursive', actor: null, reason: null, preview: false } as const),
        ...{ sources: [{ streamId: other }], evidence: [], notes: [], rows: [], labels: [] },
      })
      repository.world.objects.delete(repository.refs.get(refOfStream(other, 0)) as Oid)
    },
    message: /^object \w{40} is missing$/,
  },
]

for (const { name, damage, message } of damages) {
  it(`reading without a callback refuses ${name} as a damaged stream`, async (t) => {
    const repository = createMemoryRepository(t)
    await repository.open().create(stream, creation)
    await damage(repository)
    await assert.rejects(readAll(repository.open(), stream), (error) => {
      assert.ok(error instanceof DamagedStreamError && error instanceof CorruptObjectError, String(error))
      assert.match(error.message, message)
      assert.deepEqual([error.kind, error.code, error.exitStatus], ['damagedStream', 'io_error', 5])
      assert.deepEqual([error.details.stream, error.details.ref], [stream, ref])
      assert.match(error.hints.join(), /grite stream verify/)
      return true
    })
  })
}

it('a proof of an unreadable record refuses the damaged stream, too', async (t) => {
  const repository = createMemoryRepository(t)
  const store = repository.open()
  await store.create(stream, creation)
  await sealTwice(repository)
  assert.equal((await store.acts.prove(stream, 1)).offset, 1)
  await removeNewestSegment(repository)
  await assert.rejects(repository.open().acts.prove(stream, 1), DamagedStreamError)
})

async function sealTwice({ open }: Pick<MemoryRepository, 'open'>): Promise<void> {
  const store = open()
  for (const text of ['a', 'b']) {
    await store.append(stream, [draft(text)], local)
    await store.seal(stream)
  }
}

async function removeNewestSegment({ open, refs, world }: MemoryRepository): Promise<void> {
  const { files } = await open().reader.manifests.read(refs.get(ref) as Oid)
  world.objects.delete(files.get('segment.cbor') as Oid)
}

function removeJournals(folder: string): void {
  for (const name of readdirSync(folder)) if (name.includes('.0.')) rmSync(join(folder, name))
}
