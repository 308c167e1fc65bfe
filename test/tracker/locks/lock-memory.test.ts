import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { lockRefOf, moveLock } from '../../../src/wal/index.ts'
import { createActors } from './lock-clones.ts'

it('locks are read once and then cached by commit', async (t) => {
  const { ann, git, path, clock } = await createActors(t)
  const { nowUnixMs } = clock
  await ann.runner.withRepository(async (repository) => {
    for (let index = 0; index < 64; index++) {
      const resource = `name-${index}`
      const fields = {
        owner: ann.id,
        nonce: 'n',
        expiresUnixMs: nowUnixMs + 1000,
        ttlMs: null,
        fence: null,
        claim: null,
      }
      const move = { ref: lockRefOf(resource), expected: null, lock: { ...fields, resource }, nowUnixMs }
      await moveLock(repository.git, move)
    }
  })
  const file = join(path, '.git/grite/locks.json')
  assert.equal((await ann.run('lock status')).total, 64)
  assert.ok(existsSync(file))

  // A second ref to a cached commit is still checked.
  git(path, 'update-ref', lockRefOf('alias'), lockRefOf('name-1'))
  const { total, malformed } = await ann.run('lock status')
  assert.deepEqual(
    [total, malformed[0].ref, malformed[0].problem],
    [64, lockRefOf('alias'), 'its resource belongs to another ref'],
  )
  // One commit under many refs is read once and cached as a problem.
  const junk = git(path, 'commit-tree', '-m', 'junk', git(path, 'mktree'))
  for (let index = 0; index < 3; index++) git(path, 'update-ref', lockRefOf(`junk-${index}`), junk)
  const problems = async () =>
    (await ann.run('lock status')).malformed.map(({ problem }: { problem: string }) => problem)
  const expected = [...Array(3).fill('its commit holds no lock.json'), 'its resource belongs to another ref']
  assert.deepEqual((await problems()).sort(), expected)
  for (let index = 0; index < 3; index++) git(path, 'update-ref', '-d', lockRefOf(`junk-${index}`))
  await ann.run('lock release', { resource: 'name-0' })
  assert.equal((await ann.run('lock status', { resource: 'name-0' })).locks[0].state, 'released')

  // The commit is not read while the cache exists; without the cache all are read again.
  const lost = git(path, 'rev-parse', lockRefOf('name-2'))
  const object = join(path, '.git/objects', lost.slice(0, 2), lost.slice(2))
  const bytes = readFileSync(object)
  rmSync(object)
  assert.equal((await ann.run('lock status')).total, 64)
  writeFileSync(object, bytes)
  const odd = Object.fromEntries(
    [...git(path, 'for-each-ref', '--format=%(objectname)', 'refs/grite').split('\n')].map((oid) => [
      oid,
      { lock: { toString: 1 } },
    ]),
  )
  const others = [JSON.stringify({ version: 4, locks: odd }), `{"version":4,"locks":${'['.repeat(200_000)}`]
  for (const damage of ['{', '{"version":0,"locks":1}', '', ...others]) {
    writeFileSync(file, damage)
    assert.equal((await ann.run('lock status')).total, 64)
  }
  assert.equal(Object.keys(JSON.parse(readFileSync(file, 'utf8')).locks).length, 64)
})
