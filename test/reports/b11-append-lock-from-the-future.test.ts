/** An append lock dated in the future delays nobody, and doctor finds it. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { currentOwner, formatOwner } from '../../src/git/index.ts'
import { createCommandSandbox } from '../support/command-runner.ts'
import { pausesOf } from '../support/count-pauses.ts'

interface Diagnosis {
  readonly checks: readonly { readonly id: string; readonly status: string; readonly message: string }[]
}

const leftoversOf = ({ checks }: Diagnosis) => checks.find(({ id }) => id === 'leftovers')

for (const [version, leave] of [
  ['this version', (lock: string, words: string) => writeFileSync(lock, words)],
  ['a version that used a folder', (lock: string) => mkdirSync(lock)],
] as const) {
  it(`a future append lock of ${version} delays nobody`, async (t) => {
    const { run, path, warnings } = createCommandSandbox(t)
    await run('issue create', { title: 'a' })
    const lock = join(path, '.git/grite/append.lock')
    const gone = { ...currentOwner(), pid: spawnSync(process.execPath, ['-e', '']).pid }
    const tomorrow = Date.now() / 1000 + 86_400
    const leaveAhead = () => {
      leave(lock, `${formatOwner(gone)}\n`)
      utimesSync(lock, tomorrow, tomorrow)
    }
    leaveAhead()
    assert.equal(leftoversOf((await run('doctor')) as Diagnosis)?.status, 'warn')
    assert.equal(leftoversOf((await run('doctor', { fix: true })) as Diagnosis)?.status, 'ok')
    assert.ok(!existsSync(lock))
    // A writer waits for the folder as for a suspended holder (test/wal/append-queue.test.ts).
    if (version !== 'this version') return
    leaveAhead()
    assert.ok((await pausesOf(() => run('issue create', { title: 'b' }))) < 1500, 'a writer does not wait for it')
    assert.ok(!existsSync(lock))
    assert.deepEqual(warnings, [])
  })
}
