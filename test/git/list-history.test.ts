import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Oid, openRepository } from '../../src/git/index.ts'
import { listHistory } from '../../src/git/list-history.ts'
import { publishChain } from './sample-commits.ts'
import { createTempRepository } from './temp-repository.ts'

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
  const list = listHistory(port, oids.at(-1) as Oid)
  const commits: Oid[] = []
  let step = await list.next()
  for (; step.done !== true; step = await list.next()) commits.push(...step.value.map(({ oid }) => oid))
  assert.equal(step.value, true, 'the list is complete')
  assert.deepEqual(commits, oids)
})
