import assert from 'node:assert/strict'
import { existsSync, mkdirSync, openSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import {
  buildTree,
  encodeCommit,
  findRepository,
  hashObject,
  type Oid,
  openNative,
  openRepository,
  parseRefName,
} from '../../src/git/index.ts'
import { readHistoryNatively } from '../../src/git/native/history.ts'
import { Reads } from '../../src/git/reads.ts'
import { looseObjectPath } from '../../src/git/ref-paths.ts'
import { createGitRunner } from '../../src/git/run-git.ts'
import { walkHistory } from '../../src/git/walk-history.ts'
import { walRef } from '../../src/wal/index.ts'
import { publishChain, readAll } from './sample-commits.ts'
import { createTempRepository } from './temp-repository.ts'

describe('readHistory', () => {
  it('reads a long history in bounded batches with shared contents', async (t) => {
    const repository = await createTempRepository(t, 'bare')
    const { layout, environment } = repository
    repository.gitWith(exportStream(2500), layout.gitDir, 'fast-import', '--quiet')
    const port = openRepository(layout, { environment })
    t.after(() => port.close())
    const head = (await port.readRef(walRef)) as Oid
    const sizes: number[] = []
    let expected = 0
    for await (const batch of port.readHistory({ head, blobBytesMax: 1000 })) {
      sizes.push(batch.length)
      for (const { message, files, problem } of batch) {
        assert.equal(problem, null)
        assert.equal(message, `commit ${expected}`)
        assert.deepEqual(
          files.map(({ path, content }) => `${path}=${content}`),
          [`own=own ${expected}`, 'shared=shared'],
        )
        expected++
      }
    }
    assert.deepEqual(sizes, [...Array(9).fill(256), 196])
    assert.equal(repository.run('rev-parse', walRef), head)
  })

  it('walks a commit with 200,000 parents without overflowing the stack', async () => {
    const parent = 'ab'.repeat(20) as Oid
    const author = { name: 'x', email: 'x', unixSeconds: 0, offsetMinutes: 0 }
    const tree = buildTree('sha1', new Map())
    const commit = encodeCommit('sha1', { tree: tree.root, parents: Array(200_000).fill(parent), author, message: 'x' })
    const objects = new Map([...tree.objects, commit].map((object) => [object.oid, object]))
    const read = async (oid: Oid) => objects.get(oid) ?? null
    const oids: Oid[] = []
    for await (const batch of walkHistory('sha1', read, { head: commit.oid, blobBytesMax: 1000 })) {
      for (const { oid } of batch) oids.push(oid)
    }
    assert.deepEqual(oids, [parent, commit.oid])
  })

  it('a missing blob changes only the entry of its commit', async (t) => {
    const repository = await createTempRepository(t)
    const { layout, environment } = repository
    const port = openNative(layout, { environment })
    t.after(() => port.close())
    const messages = Array.from({ length: 30 }, (_value, index) => `m${index}`)
    const oids = await publishChain(port, messages)
    const head = oids.at(-1) as Oid
    const whole = await readAll(port, head)
    const blob = hashObject('sha1', 'blob', Buffer.from('m17'))
    rmSync(looseObjectPath(layout, blob))
    const damaged = await readAll(port, head)
    assert.deepEqual(
      damaged.map(({ oid }) => oid),
      oids,
    )
    const differing = damaged.filter((entry, index) => JSON.stringify(entry) !== JSON.stringify(whole[index]))
    assert.deepEqual(
      differing.map(({ message }) => message),
      ['m17'],
    )
  })

  it('reads a whole history through a file without a name, where we have a folder', async (t) => {
    const repository = await createTempRepository(t)
    const { layout, environment } = repository
    const port = openNative(layout, { environment })
    t.after(() => port.close())
    const messages = Array.from({ length: 30 }, (_value, index) => `m${index} ${'x'.repeat(20_000)}`)
    const head = (await publishChain(port, messages)).at(-1) as Oid
    repository.run('repack', '-adq')
    const folder = join(layout.commonDir, 'grite')
    rmSync(folder, { recursive: true, force: true })
    const withoutFolder = await readAll(port, head, [], 1_000_000, true)
    assert.equal(existsSync(folder), false)
    mkdirSync(folder)
    assert.deepEqual(await readAll(port, head), withoutFolder)
    assert.deepEqual(readdirSync(folder), [], 'a reader leaves no trace')
    assert.deepEqual(await readAll(port, head, [], 1_000_000, true), withoutFolder)
    assert.deepEqual(
      withoutFolder.map(({ message }) => message),
      messages,
    )
    // The folder shows that the file was there.
    assert.deepEqual(readdirSync(join(folder, 'tmp')), [])
    for await (const _batch of port.readHistory({ head, blobBytesMax: 1000, mayUseFile: true })) break
    assert.deepEqual(readdirSync(join(folder, 'tmp')), [])
  })

  it('reads a history that is longer than the file may be', async (t) => {
    const { layout, environment, path, run } = await createTempRepository(t)
    const port = openNative(layout, { environment })
    t.after(() => port.close())
    const messages = Array.from({ length: 40 }, (_value, index) => `m${index} ${'x'.repeat(20_000)}`)
    const oids = await publishChain(port, messages)
    run('repack', '-adq')
    const scratchBytesMax = 600_000
    const scratch = join(path, 'scratch')
    const source = {
      ...{
        git: createGitRunner(layout, environment),
        format: layout.objectFormat,
        reads: new Reads(),
        objectDir: layout.objectDir,
        scratchBytesMax,
      },
      readOne: port.readObject,
      openScratch: async () => openSync(scratch, 'w+'),
    }
    const options = { head: oids.at(-1) as Oid, blobBytesMax: 1_000_000, mayUseFile: true }
    const found: Oid[] = []
    for await (const entries of readHistoryNatively(source, options, new Set())) {
      found.push(...entries.map(({ oid }) => oid))
    }
    assert.deepEqual(found, oids)
    assert.ok(statSync(scratch).size > scratchBytesMax)
  })

  it('a reader may stop early, and the port stays usable', async (t) => {
    const repository = await createTempRepository(t, 'bare')
    const { layout, environment } = repository
    repository.gitWith(exportStream(3000), layout.gitDir, 'fast-import', '--quiet')
    const port = openNative(layout, { environment })
    t.after(() => port.close())
    const head = (await port.readRef(walRef)) as Oid
    for await (const batch of port.readHistory({ head, blobBytesMax: 1000 })) {
      assert.equal(batch.length, 256)
      break
    }
    await publishChain(port, ['after'], parseRefName('refs/grite/after'))
  })

  it('reads the history of a partial clone without fetching', async (t) => {
    const repository = await createTempRepository(t)
    const { layout, environment, dir, path, git } = repository
    const oids = await publishChain(openRepository(layout, { environment }), ['one', 'two'])
    git(path, 'config', 'uploadpack.allowFilter', 'true')
    git(dir, 'init', '-q', 'partial')
    const clone = join(dir, 'partial')
    git(clone, 'remote', 'add', 'origin', `file://${path}`)
    git(clone, 'fetch', '-q', '--filter=blob:none', 'origin', `${walRef}:${walRef}`)
    const port = openRepository(await findRepository({ cwd: clone, env: environment }), { environment })
    t.after(() => port.close())
    const entries = await readAll(port, oids[1] as Oid)
    assert.deepEqual(
      entries.map(({ oid }) => oid),
      oids,
    )
    assert.deepEqual(
      entries.flatMap(({ files }) => files.map(({ problem }) => problem)),
      Array(4).fill('missing'),
    )
  })
})

/** Makes a log for `git fast-import`: each commit has its own file and one file shared by all. */
function exportStream(commits: number): string {
  const parts: string[] = ['blob\nmark :1\ndata 6\nshared\n']
  for (let index = 0; index < commits; index++) {
    const message = `commit ${index}`
    const own = `own ${index}`
    parts.push(
      `commit ${walRef}\ncommitter T <t@example.com> ${1_700_000_000 + index} +0000\ndata ${message.length}\n${message}\n`,
    )
    parts.push(`M 100644 :1 shared\nM 100644 inline own\ndata ${own.length}\n${own}\n\n`)
  }
  return parts.join('')
}
