import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { openIsomorphic } from '../../src/git/index.ts'
import type { Oid } from '../../src/git/port.ts'
import { createTempRepository } from './temp-repository.ts'

// git may compress text with dynamic code tables, which precede the first byte of the header.
test('reads objects that git compressed with long code tables', async (t) => {
  const repository = await createTempRepository(t)
  const port = openIsomorphic(repository.layout, { environment: repository.environment })
  t.after(() => port.close())
  for (const file of ['../../package.json', '../../src/git/port.ts', './temp-repository.ts']) {
    const content = readFileSync(new URL(file, import.meta.url))
    const oid = repository.gitWith(content, repository.path, 'hash-object', '-w', '--stdin') as Oid
    const object = await port.readObject(oid, 1 << 20)
    assert.deepEqual(Buffer.from(object?.content ?? []), content, file)
  }
})
