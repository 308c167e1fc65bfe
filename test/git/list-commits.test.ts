import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listCommitsInProcess } from '../../src/git/list-commits.ts'
import type { GitObject, Oid } from '../../src/git/port.ts'
import { Reads } from '../../src/git/reads.ts'
import { sampleCommit } from './sample-commits.ts'

function longChain(commits: number) {
  const objects = new Map<Oid, GitObject>()
  const oids: Oid[] = []
  for (let number = 0; number < commits; number++) {
    const { oid, objects: made } = sampleCommit('sha1', oids.slice(-1), `${number}`)
    for (const object of made) objects.set(object.oid, object)
    oids.push(oid)
  }
  let readCount = 0
  const read = async (oid: Oid) => {
    readCount += 1
    return objects.get(oid) ?? null
  }
  return { oids, read, readCount: () => readCount }
}

const limits = () => ({ shallow: new Set<Oid>(), reads: new Reads() })

test('listing the newest commits reads only the listed commits', async () => {
  const { oids, read, readCount } = longChain(5000)
  for await (const batch of listCommitsInProcess(read, { head: oids.at(-1) as Oid }, limits())) {
    assert.deepEqual(
      batch.map(({ message }) => message),
      Array.from({ length: batch.length }, (_value, index) => `${4999 - index}`),
    )
    assert.equal(readCount(), batch.length)
    break
  }
})

test('listing the commits since another reads no older commits', async () => {
  const { oids, read, readCount } = longChain(5000)
  const listed = []
  const range = { head: oids.at(-1) as Oid, exclude: [oids.at(-11) as Oid] }
  for await (const batch of listCommitsInProcess(read, range, limits())) listed.push(...batch)
  assert.equal(listed.length, 10)
  assert.ok(readCount() <= 21, `${readCount()} reads`)
})
