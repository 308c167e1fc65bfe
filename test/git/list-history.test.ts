import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Oid, openRepository } from '../../src/git/index.ts'
import { type ListedCommit, listHistory } from '../../src/git/list-history.ts'
import { publishChain } from './sample-commits.ts'
import { createTempRepository } from './temp-repository.ts'

async function readAll(list: ReturnType<typeof listHistory>) {
  const commits: ListedCommit[] = []
  let step = await list.next()
  for (; step.done !== true; step = await list.next()) commits.push(...step.value)
  return { commits, isComplete: step.value }
}

for (const { way, hasFolder } of [
  { way: 'a file', hasFolder: true },
  { way: 'a pipe', hasFolder: false },
]) {
  test(`a history is listed through ${way}, with the files of each commit`, async (t) => {
    const { layout, environment, run } = await createTempRepository(t)
    const own = join(layout.commonDir, 'grite')
    if (hasFolder) mkdirSync(own, { recursive: true })
    const port = openRepository(layout, { environment })
    // Longer than a piece of the file.
    const oids = await publishChain(
      port,
      Array.from({ length: 2000 }, (_, index) => `message ${index}`),
    )
    const { commits, isComplete } = await readAll(listHistory(port, oids.at(-1) as Oid, { mayUseFile: hasFolder }))
    assert.equal(isComplete, true)
    assert.deepEqual(
      commits.map(({ oid }) => oid),
      oids,
    )
    const last = commits.at(-1)?.files.map(({ path, mode, oid }) => `${mode} blob ${oid}\t${path}`)
    assert.equal(last?.join('\n'), run('ls-tree', '-r', oids.at(-1) as Oid))
    if (hasFolder) assert.deepEqual(readdirSync(join(own, 'tmp')), [])
  })
}

test('git may walk a long history before it lists the first commit', async (t) => {
  const { layout, environment, dir } = await createTempRepository(t)
  const oids = await publishChain(openRepository(layout, { environment }), ['one', 'two'])
  // As long as 500,000 packed objects may take; git itself ignores an index without a pack.
  mkdirSync(join(layout.objectDir, 'pack'), { recursive: true })
  const index = join(layout.objectDir, 'pack', `pack-${'a'.repeat(40)}.idx`)
  writeFileSync(index, '')
  truncateSync(index, 28 * 500_000)
  const slow = join(dir, 'slow')
  mkdirSync(slow)
  writeFileSync(join(slow, 'git'), `#!/bin/sh\nsleep 1.5\nPATH='${environment.PATH}' exec git "$@"\n`)
  chmodSync(join(slow, 'git'), 0o755)
  const port = openRepository(layout, { environment: { ...environment, PATH: `${slow}:${environment.PATH}` } })
  const { commits, isComplete } = await readAll(listHistory(port, oids.at(-1) as Oid))
  assert.equal(isComplete, true)
  assert.deepEqual(
    commits.map(({ oid }) => oid),
    oids,
  )
})
