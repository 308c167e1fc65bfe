/** Loses every object of a log in turn: the other issues stay visible, a warning reports the loss, a sync restores all. */
import assert from 'node:assert/strict'
import { cpSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { walRef } from '../../src/wal/index.ts'
import { loseObject, waysToLose } from '../support/broken-objects.ts'
import { type CloneOptions, createClones, type Member, memberIn } from '../sync/clones.ts'

const titles = ['five', 'four', 'one', 'three', 'two']

/** Creates a clone with five issues and an attachment in its log, all pushed. */
async function cloneWithLog(t: TestContext, options: CloneOptions = {}) {
  const setup = createClones(t)
  const original = setup.clone('original', options)
  for (const title of ['one', 'two', 'three']) await original.create(title)
  const { issues } = (await original.run('issue list')) as { issues: { issue_id: string }[] }
  const file = join(original.path, 'notes.txt')
  writeFileSync(file, 'content of an attachment')
  await original.run('issue attachment add', { issue: issues[0]?.issue_id, file })
  for (const title of ['four', 'five']) await original.create(title)
  await original.sync()
  return { setup, original }
}

/** Lists the objects of the log, each once. */
const objectsOf = ({ git }: Member) =>
  git('rev-list', '--objects', '--no-object-names', walRef)
    .split('\n')
    .filter((oid) => /^[0-9a-f]{40}$/.test(oid))

/** Returns the listed titles; the list may warn. */
async function listed(member: Member): Promise<string[]> {
  const found = await member.titles()
  for (const title of found) assert.ok([...titles, 'later'].includes(title), title)
  return found
}

describe('a log that loses one object', () => {
  it('a log without one object stays readable and a sync restores it', async (t) => {
    const { setup, original } = await cloneWithLog(t)
    const objects = objectsOf(original)
    assert.ok(objects.length > 20)
    for (const [index, oid] of objects.entries()) {
      const way = waysToLose[index % waysToLose.length] ?? 'missing'
      const name = `${oid} ${way} ${original.git('cat-file', '-t', oid)}`
      const path = join(setup.dir, `lost-${index}`)
      cpSync(original.path, path, { recursive: true, preserveTimestamps: true })
      const member = memberIn(setup, path)
      loseObject(path, oid, way)
      const hasView = index % 2 === 0
      if (!hasView) dropViews(path)
      const shown = await listed(member)
      const warnings = member.takeWarnings()
      assert.ok(shown.length >= titles.length - 1, `${name} hides ${titles.filter((title) => !shown.includes(title))}`)
      const isReported = warnings.includes('log-incomplete') || warnings.includes('log-restored')
      assert.ok(hasView || isReported, `${name}: ${warnings}`)
      const checked = await member.outcome('db check')
      assert.equal(checked.exitStatus, warnings.includes('log-restored') ? 0 : 1, name)
      await member.create('later')
      await member.sync()
      // doctor also finds a lost object that the view concealed.
      await member.outcome('doctor', { fix: true })
      assert.deepEqual(await listed(member), [...titles, 'later'].sort(), name)
      await member.outcome('doctor', { fix: true })
      const after = await member.outcome('doctor')
      const wrong = (after.data as { checks: { status: string; message: string }[] }).checks
      assert.deepEqual(
        wrong.filter(({ status }) => status === 'error'),
        [],
        name,
      )
      member.takeWarnings()
      await member.sync()
      assert.deepEqual(member.takeWarnings(), [], name)
      await member.assertSound()
      assert.equal(new Set(await member.ids()).size, (await member.ids()).length, name)
      setup.inOrigin('update-ref', walRef, original.head())
      rmSync(path, { recursive: true })
    }
  })

  it('a log of one second without a commit is completed, although git calls it no fast-forward', async (t) => {
    const nowUnixMs = () => 1_800_000_000_000
    const { original } = await cloneWithLog(t, { nowUnixMs })
    loseObject(original.path, original.git('rev-parse', `${walRef}~1`))
    await original.create('later')
    await original.sync()
    assert.deepEqual(await listed(original), [...titles, 'later'].sort())
    original.takeWarnings()
    await original.assertSound()
  })
})

function dropViews(path: string): void {
  const actors = join(path, '.git/grite/actors')
  for (const actor of readdirSync(actors)) rmSync(join(actors, actor, 'level'), { recursive: true, force: true })
}
