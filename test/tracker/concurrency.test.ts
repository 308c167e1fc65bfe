import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { currentOwner, formatOwner } from '../../src/git/index.ts'
import { walRef } from '../../src/wal/index.ts'
import { createCommandSandbox } from '../support/command-runner.ts'
import { batchOf, creation, idsOnChain, issueId, writeBatch } from '../support/log.ts'
import { createProcessScene, eventIdsOf } from './command-process.ts'

describe('processes at the same time', () => {
  it('twelve creates in a repository without an actor all succeed, under one default actor', async (t) => {
    const { path, answer, list, assertHolds } = createProcessScene(t)
    const titles = Array.from({ length: 12 }, (_, index) => `issue ${index}`)
    const answers = await Promise.all(titles.map((title) => answer('issue', 'create', '--title', title)))
    assert.equal((await assertHolds(eventIdsOf(answers))).length, 12)
    const issues = await list()
    assert.deepEqual(issues.map(({ title }) => title).sort(), [...titles].sort())
    assert.equal(new Set(issues.map(({ author }) => author)).size, 1)
    assert.equal(readdirSync(join(path, '.git/grite/actors')).length, 1)
    assert.ok(readFileSync(join(path, '.git/grite/config.toml'), 'utf8').includes(issues[0]?.author as string))
    assert.deepEqual(readdirSync(join(path, '.git/grite/tmp')), [])
  })

  it('an import leaves out what something else appended since it was planned', async (t) => {
    const { path, git, withRepository } = createCommandSandbox(t)
    const [first, second] = [creation(issueId('a1')), creation(issueId('a2'))]
    await withRepository(async (repository) => {
      await repository.view()
      const next = await writeBatch(repository.git, batchOf([first]), null)
      git(path, 'update-ref', walRef, next)
      const head = await repository.appendBatch(batchOf([first, second]), [first, second])
      assert.deepEqual(await idsOnChain(repository.git, head), [first.eventId, second.eventId])
    })
  })

  it('one field set by ten has one value, and every event is there', async (t) => {
    const { answer, list, assertHolds } = createProcessScene(t)
    const { issue_id } = await answer('issue', 'create', '--title', 'one')
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        answer('issue', 'update', issue_id as string, '--priority', `P${index % 5}`),
      ),
    )
    const [issue] = await list()
    assert.equal(issue?.labels.length, 1)
    assert.match(issue?.labels[0] ?? '', /^priority:P[0-4]$/)
    await assertHolds(eventIdsOf(answers).filter((id) => id !== null))
  })

  it('a writer goes on after the one who held the queue was killed', async (t) => {
    const { answer, path, assertHolds } = createProcessScene(t)
    const first = await answer('issue', 'create', '--title', 'first')
    const gone = { ...currentOwner(), pid: spawnSync(process.execPath, ['-e', '']).pid }
    writeFileSync(join(path, '.git/grite/append.lock'), `${formatOwner(gone)}\n`)
    const next = await answer('issue', 'create', '--title', 'next')
    await assertHolds(eventIdsOf([first, next]))
  })
})
