import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { openRepository, readReflog, setAsideBrokenRef, setAsideCorruptObject } from '../../src/git/index.ts'
import { walRef } from '../../src/wal/index.ts'
import { looseFile, loseObject } from '../support/broken-objects.ts'
import { publishChain } from './sample-commits.ts'
import { createTempRepository } from './temp-repository.ts'

describe('corrupt objects and refs', { concurrency: 2 }, () => {
  for (const way of ['empty', 'garbage'] as const) {
    it(`moves a loose object file aside when it is ${way}`, async (t) => {
      const { layout, path, environment } = await createTempRepository(t)
      const port = openRepository(layout, { environment })
      t.after(() => port.close())
      const [oid] = await publishChain(port, ['one'])
      assert.ok(oid)
      assert.equal(setAsideCorruptObject(layout, oid), null)
      loseObject(path, oid, way)
      const bytes = readFileSync(looseFile(path, oid))
      const aside = setAsideCorruptObject(layout, oid)
      assert.equal(aside, join(layout.commonDir, 'grite/corrupt', oid))
      assert.deepEqual(readFileSync(aside ?? ''), bytes)
      assert.equal(existsSync(looseFile(path, oid)), false)
      assert.equal(setAsideCorruptObject(layout, oid), null)
      assert.equal(await port.readObject(oid, 1000), null)
    })
  }

  it('reads an object from a pack when its loose file is damaged', async (t) => {
    const { layout, path, environment, run } = await createTempRepository(t)
    const port = openRepository(layout, { environment })
    t.after(() => port.close())
    const [oid] = await publishChain(port, ['one'])
    assert.ok(oid)
    run('repack', '-q', '-a')
    loseObject(path, oid, 'garbage')
    assert.equal((await port.readObject(oid, 1000))?.type, 'commit')
  })

  it('moves a ref file aside only if it has neither id nor symbolic ref', async (t) => {
    const { layout, environment } = await createTempRepository(t)
    const port = openRepository(layout, { environment })
    t.after(() => port.close())
    const [oid] = await publishChain(port, ['one'])
    assert.equal(setAsideBrokenRef(layout, walRef), null)
    const file = join(layout.commonDir, walRef)
    mkdirSync(join(file, '..'), { recursive: true })
    writeFileSync(file, 'ref: refs/heads/main\n')
    assert.equal(setAsideBrokenRef(layout, walRef), null)
    writeFileSync(file, '')
    assert.equal(setAsideBrokenRef(layout, walRef), join(layout.commonDir, 'grite/corrupt/refs-grite-wal'))
    assert.deepEqual([await port.readRef(walRef), (await readReflog(port, walRef, 1))[0]?.next], [null, oid])
  })
})
