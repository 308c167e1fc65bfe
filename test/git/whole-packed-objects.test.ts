import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readWholePackedObject } from '../../src/git/in-process/whole-packed-objects.ts'
import { type Oid, openRepository } from '../../src/git/index.ts'
import { CorruptObjectError } from '../../src/model/index.ts'
import { type CleanUp, createTempRepository, type RepositoryKind } from './temp-repository.ts'

const bytesMax = 1 << 23

/** A repository with everything in one pack. */
async function setUp(t: CleanUp, kind: RepositoryKind = 'plain') {
  const repository = await createTempRepository(t, kind)
  const { layout, path, run, gitWith } = repository
  const add = (content: string | Uint8Array) => gitWith(content, path, 'hash-object', '-w', '--stdin') as Oid
  const pack = () => {
    const ids = run('rev-list', '--all', '--objects', '--no-object-names').split('\n')
    const loose = readdirSync(layout.objectDir).filter((name) => name.length === 2)
    const all = loose.flatMap((first) => readdirSync(join(layout.objectDir, first)).map((rest) => first + rest))
    const folder = join(layout.objectDir, 'pack')
    mkdirSync(folder, { recursive: true })
    gitWith(`${[...new Set([...ids, ...all])].join('\n')}\n`, path, 'pack-objects', '-q', join(folder, 'pack'))
    run('prune-packed')
    return join(folder, readdirSync(folder).find((name) => name.endsWith('.pack')) as string)
  }
  const read = (oid: Oid, max = bytesMax) => readWholePackedObject(layout, oid, max)
  return { ...repository, add, pack, read, head: run('rev-parse', 'HEAD') as Oid }
}

for (const kind of ['plain', 'sha256'] as const) {
  test(`reads every type and many sizes of whole objects: ${kind}`, async (t) => {
    const { add, pack, read, head, run } = await setUp(t, kind)
    run('tag', '-a', '-m', 'text', 'one')
    // Incompressible, and different from each other, so that none becomes a delta.
    let seed = 1
    const noise = (length: number) =>
      Uint8Array.from({ length }, () => {
        seed = (seed * 48271) % 2147483647
        return seed & 0xff
      })
    const blobs = [0, 1, 15, 16, 2047, 2048, 3900, 4096, 65_536, 300_000].map((length) => noise(length))
    const ids = blobs.map(add)
    pack()
    for (const [index, oid] of ids.entries()) assert.deepEqual(new Uint8Array(read(oid)?.content ?? []), blobs[index])
    assert.equal(read(head)?.type, 'commit')
    assert.equal(read(run('rev-parse', 'HEAD^{tree}') as Oid)?.type, 'tree')
    assert.equal(read(run('rev-parse', 'one') as Oid)?.type, 'tag')
    assert.equal(Buffer.from(read(head)?.content ?? []).toString('utf8'), `${run('cat-file', 'commit', 'HEAD')}\n`)
  })
}

test('leaves deltas, large and absent objects to git', async (t) => {
  const { add, pack, read, head } = await setUp(t)
  const lines = Array.from({ length: 400 }, (_, line) => `line ${line * 7919}\n`).join('')
  const similar = [add(`${lines}one\n`), add(`${lines}two\n`)]
  const large = add(Buffer.alloc(4 * 1024 * 1024 + 1, 'x'))
  pack()
  assert.deepEqual(similar.map((oid) => read(oid)?.type).sort(), ['blob', undefined])
  assert.equal(read(large), null)
  assert.notEqual(read(head), null)
  assert.equal(read(head, 10), null)
  assert.equal(read('0'.repeat(40) as Oid), null)
})

test('leaves a damaged object to git, which refuses it', async (t) => {
  const { pack, read, head, layout, environment } = await setUp(t)
  const path = pack()
  assert.notEqual(read(head), null)
  const port = openRepository(layout, { environment })
  t.after(() => port.close())
  assert.equal((await port.readObject(head, bytesMax))?.type, 'commit')
  const bytes = readFileSync(path)
  for (let place = 12; place < bytes.length - 20; place++) bytes[place] = (bytes[place] as number) ^ 0x55
  chmodSync(path, 0o644)
  writeFileSync(path, bytes)
  assert.equal(read(head), null)
  await assert.rejects(port.readObject(head, bytesMax), CorruptObjectError)
})
