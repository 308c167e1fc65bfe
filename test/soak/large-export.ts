/** A backup larger than the longest string of V8 (512 MiB), written and restored in bounded memory. */
import assert from 'node:assert/strict'
import { randomFillSync } from 'node:crypto'
import { rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { timeWithMemory } from '../../bench/measure.ts'
import { gritePath } from '../contract/grite-process.ts'
import { createSandbox } from '../git/temp-repository.ts'
import { commandRunner } from '../support/command-runner.ts'

const fileCount = 26
const fileBytes = 16_000_000
const peakBytesMax = 250e6

test('exports and restores 416 MB of attachments in 250 MB of memory', async (t) => {
  const { dir, environment, git } = createSandbox(t)
  const [from, to, backup] = [join(dir, 'from'), join(dir, 'to'), join(dir, 'backup.json')]
  for (const path of [from, to]) git(dir, 'init', '-q', '-b', 'main', path)
  const { run } = commandRunner({ cwd: from, env: environment })
  const { issue_id: issue } = (await run('issue create', { title: 'Large' })) as { issue_id: string }
  const content = Buffer.alloc(fileBytes)
  for (let index = 0; index < fileCount; index++) {
    writeFileSync(join(dir, 'file'), randomFillSync(content))
    await run('issue attachment add', { issue, file: join(dir, 'file'), name: `f${index}` })
  }
  const exported = timeWithMemory(
    gritePath,
    ['export', '--format=json', '--attachments', `--output=${backup}`, '--json'],
    from,
  )
  rmSync(from, { recursive: true })
  assert.ok(statSync(backup).size > 512 * 1024 * 1024)
  const restored = timeWithMemory(gritePath, ['import', backup, '--json'], to)
  const { created, event_count, commit_count } = JSON.parse(restored.stdout).data
  assert.deepEqual([created, event_count, commit_count], [1, fileCount + 1, fileCount])
  const peaks = [exported.peakRssBytes, restored.peakRssBytes]
  assert.ok(Math.max(...peaks) < peakBytesMax && Math.min(...peaks) > 0, peaks.join(', '))
  assert.equal((await commandRunner({ cwd: to, env: environment }).outcome('db check')).exitStatus ?? 0, 0)
})
