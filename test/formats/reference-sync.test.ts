/** Clones written by the Rust tool and synced by grite (fixtures/repos/README.md). */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { IssueRow } from '../../src/view/index.ts'
import { createClones, type Member } from '../sync/clones.ts'
import { asReferenceEvent, asSummary, type Kinded } from './reference-shapes.ts'

const fixtures = fileURLToPath(new URL('../../fixtures/repos/', import.meta.url))
const everything = 'refs/grite/*:refs/grite/*'

function readExpected(name: string) {
  return JSON.parse(readFileSync(join(fixtures, name, 'expected.json'), 'utf8'))
}

async function assertReads(clone: Member, expected: ReturnType<typeof readExpected>): Promise<void> {
  const { issues } = (await clone.run('issue list')) as { issues: IssueRow[] }
  assert.deepEqual(issues.map(asSummary), expected.issues)
  const exported = (await clone.run('export', { format: 'json' })) as { content: { events: Kinded[] } }
  assert.deepEqual(exported.content.events.map(asReferenceEvent), expected.export.events)
  assert.deepEqual(await clone.ids(), [...expected.event_ids].sort())
  await clone.assertSound()
}

for (const [first, second] of [
  ['a', 'b'],
  ['b', 'a'],
] as const) {
  test(`sync unites diverged clones, ${first} before ${second}`, async (t) => {
    const expected = readExpected('diverged')
    const setup = createClones(t)
    const clones = [first, second].map((name) => {
      const clone = setup.clone(name)
      clone.git('fetch', '-q', join(fixtures, 'diverged', `${name}.bundle`), everything)
      assert.equal(clone.head(), expected.clones[name].wal_head)
      return clone
    })
    for (const clone of [...clones, ...clones]) await clone.sync()
    for (const clone of clones) {
      await assertReads(clone, expected)
      assert.equal(clone.head(), setup.originHead())
    }
    // The log that was pushed first stays an ancestor.
    setup.inOrigin('merge-base', '--is-ancestor', expected.clones[first].wal_head, 'refs/grite/wal')
  })
}

test('sync adopts a log on which two actors took turns', async (t) => {
  const expected = readExpected('two-actors')
  const setup = createClones(t)
  const [ann, bo] = [setup.clone('ann'), setup.clone('bo')]
  ann.git('fetch', '-q', join(fixtures, 'two-actors', 'repo.bundle'), everything)
  await ann.sync()
  await bo.sync()
  await assertReads(bo, expected)
  assert.deepEqual([bo.head(), (await bo.sync()).message], [expected.wal_head, 'Already up to date'])
})

test('sync leaves differing lock refs of the Rust tool unchanged', async (t) => {
  const setup = createClones(t)
  const ann = setup.clone('ann')
  setup.inOrigin('fetch', '-q', join(fixtures, 'locks', 'remote.bundle'), everything)
  ann.git('fetch', '-q', join(fixtures, 'locks', 'repo.bundle'), everything)
  const locks = () => [setup.inOrigin('for-each-ref', 'refs/grite/locks'), ann.git('for-each-ref', 'refs/grite/locks')]
  const before = locks()
  assert.notEqual(before[0], before[1])
  await ann.create('of ann')
  assert.equal((await ann.sync()).push_changed, true)
  assert.deepEqual(locks(), before)
  await ann.assertSound()
})
