import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { inflateSync } from 'node:zlib'
import { hashObject, type Oid, privatePermissions, type RefName } from '../../../src/git/index.ts'
import { encodeRecord, nextOffsetOf, streamRefOf } from '../../../src/model/streams/index.ts'
import { FileSealer } from '../../../src/wal/streams/file-sealer.ts'
import { type JournalPlace, JournalWriter, nodeJournalDisk } from '../../../src/wal/streams/journal/index.ts'
import { loadSegmentTools } from '../../../src/wal/streams/open-segment.ts'
import { SealingThread } from '../../../src/wal/streams/sealing-thread.ts'
import { genesisOf } from '../tenants.ts'
import { cloneA, id, startMs } from './store-setup.ts'

const program = fileURLToPath(new URL('../../../dist/seal-worker.cjs', import.meta.url))
const tools = await loadSegmentTools()
const manifest = genesisOf(id('large'))
const target = { format: 'sha1', objectPlace: null } as const
const head = { ref: streamRefOf(manifest.streamId, 0) as RefName, commit: 'a'.repeat(40) as Oid, manifest }

/** A journal of 320 KiB, closed to be sealed. */
async function closedJournal(t: TestContext) {
  const dir = mkdtempSync(join(tmpdir(), 'grite-streams-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  mkdirSync(join(dir, 'tmp'))
  let temporary = 0
  const place: JournalPlace = {
    ...{ folder: join(dir, 'streams'), encodedId: 'v'.repeat(32), generation: 0, permissions: privatePermissions },
    ...{ disk: nodeJournalDisk, crc32c: tools.crc32c, newTemporaryPath: () => join(dir, `tmp/${temporary++}`) },
  }
  const { streamId, incarnation } = manifest
  const sealed = { commit: head.commit, root: new Uint8Array(32), nextOffset: 0 }
  const journal = await JournalWriter.open(place, { streamId, incarnation, epoch: 1, cloneId: cloneA }, sealed)
  t.after(() => journal.dispose())
  const empty = { writer: null, key: null, contentType: null, headers: [], producer: null, tsUnixMs: startMs }
  const records = Array.from({ length: 40 }, (_, index) =>
    encodeRecord({ ...empty, payload: Buffer.alloc(8192, `payload ${index}`) }),
  )
  await journal.append([records.slice(0, 30), records.slice(30)], { flush: false })
  await journal.close('seal')
  const [file] = journal.files
  assert.ok(file)
  return file
}

function sealerOf(t: TestContext, path: string): FileSealer {
  const thread = new SealingThread(() => path)
  t.after(() => thread.close())
  return new FileSealer(tools, { layout: { objectFormat: 'sha1' } }, thread)
}

it('makes the same commits in a thread as without one, ready to be written', async (t) => {
  const file = await closedJournal(t)
  const [made, ...rest] = await sealerOf(t, program).seal(head, file)
  assert.deepEqual([nextOffsetOf(made?.manifest ?? manifest), rest.length], [40, 0])
  const here = await sealerOf(t, 'no program').seal(head, file)
  const bare = made?.objects.map(({ deflated, content, isStored = false, ...object }) => {
    assert.ok(deflated, `${object.type} was made by the thread`)
    const text = inflateSync(deflated)
    assert.equal(text.subarray(0, text.indexOf(0)).toString(), `${object.type} ${content.length}`)
    assert.equal(hashObject('sha1', object.type, text.subarray(text.indexOf(0) + 1)), object.oid)
    return { ...object, content: Buffer.from(content), isStored }
  })
  const expected = here.map(({ objects, ...commit }) => ({
    ...commit,
    objects: objects.map((object) => ({ isStored: false, ...object, content: Buffer.from(object.content) })),
  }))
  assert.deepEqual([{ ...made, objects: bare }], expected)
})

it('seals without the thread what it cannot read, and after it has ended', async (t) => {
  const file = await closedJournal(t)
  const thread = new SealingThread(() => program)
  t.after(() => thread.close())
  const { path, descriptor } = file
  const framesFrom = (offset: number) => file.framesFrom(offset)
  const unreadable = { path, descriptor, framesFrom, token: '0'.repeat(16) }
  assert.equal(await thread.seal(target, head, unreadable), null)
  assert.equal((await thread.seal(target, head, file))?.length, 1)
  await thread.close()
  assert.equal((await thread.seal(target, head, file))?.length, 1, 'a thread that was idle starts again')
})

it('writes the objects in the thread, and leaves them to its caller where it cannot', async (t) => {
  const file = await closedJournal(t)
  const thread = new SealingThread(() => program)
  t.after(() => thread.close())
  const objectDir = join(mkdtempSync(join(tmpdir(), 'grite-objects-')), 'objects')
  t.after(() => rmSync(dirname(objectDir), { recursive: true, force: true }))
  const layout = {
    ...{ gitDir: dirname(objectDir), commonDir: dirname(objectDir), workTree: null, objectDir },
    ...({ objectFormat: 'sha1', refStorage: 'files', unusualObjectStore: false } as const),
  }
  const seal = () => thread.seal({ format: 'sha1', objectPlace: { layout, flushes: true } }, head, file)
  const [written] = (await seal()) ?? []
  assert.equal(written?.isWritten, true)
  for (const { oid, content } of written?.objects ?? []) {
    const loose = inflateSync(readFileSync(join(objectDir, oid.slice(0, 2), oid.slice(2))))
    assert.deepEqual(loose.subarray(loose.indexOf(0) + 1), Buffer.from(content))
  }
  rmSync(objectDir, { recursive: true })
  writeFileSync(objectDir, 'no folder')
  const [left] = (await seal()) ?? []
  assert.deepEqual([left?.isWritten, left?.commit], [false, written?.commit])
})
