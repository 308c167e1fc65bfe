import assert from 'node:assert/strict'
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { RefChanges } from '../../../src/tracker/follow/ref-changes.ts'
import { createSandbox } from '../../git/temp-repository.ts'

/** The tests end by themselves only when a change is reported. */
const hourMs = 3_600_000
const never = new AbortController().signal

function folderOf(t: Parameters<typeof createSandbox>[0]) {
  const { dir } = createSandbox(t)
  const folder = join(dir, 'refs/grite')
  const move = () => {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'wal.lock'), 'id')
    renameSync(join(folder, 'wal.lock'), join(folder, 'wal'))
  }
  move()
  const changes = new RefChanges({ commonDir: dir, refStorage: 'files' })
  t.after(() => changes.close())
  return { dir, folder, move, changes }
}

test('a moved ref ends the wait at once', async (t) => {
  const { move, changes } = folderOf(t)
  await changes.wait(hourMs, never)
  setTimeout(move, 10)
  await changes.wait(hourMs, never)
})

test('a change between two waits ends the second', async (t) => {
  const { move, changes } = folderOf(t)
  await changes.wait(hourMs, never)
  move()
  await changes.wait(hourMs, never)
})

test('a folder that git removed and that came back is followed', async (t) => {
  const { folder, move, changes } = folderOf(t)
  await changes.wait(hourMs, never)
  rmSync(folder, { recursive: true })
  await changes.wait(1, never)
  move()
  await changes.wait(1, never)
  setTimeout(move, 10)
  await changes.wait(hourMs, never)
})

test('without a folder, and in other repositories, the wait ends after its time', async (t) => {
  const { dir } = createSandbox(t)
  for (const refStorage of ['files', 'reftable'] as const) {
    const changes = new RefChanges({ commonDir: dir, refStorage })
    await changes.wait(1, never)
    changes.close()
  }
})

test('a wait rejects when it is aborted', async (t) => {
  const { changes } = folderOf(t)
  await changes.wait(hourMs, never)
  await assert.rejects(changes.wait(hourMs, AbortSignal.timeout(5)))
})
