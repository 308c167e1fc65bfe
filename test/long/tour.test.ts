import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createSandbox } from '../git/temp-repository.ts'
import { projectDir } from '../tidy/source-files.ts'

test('the tour runs to its end and leaves no temporary files', (t) => {
  if (!existsSync(join(projectDir, 'dist/grite.cjs'))) return t.skip('dist/ is not built; npm run build')
  const { dir, environment } = createSandbox(t)
  const temporary = join(dir, 'tmp')
  mkdirSync(temporary)
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(projectDir, 'scripts/tour.mjs')], {
    env: { ...environment, TMPDIR: temporary },
    encoding: 'utf8',
  })
  assert.equal(status, 0, stderr)
  for (const line of [
    '$ grite init',
    '$ grite import tracker.jsonl',
    '$ grite sync',
    'is held by Bo',
    '$ grite rebuild',
    '── Done',
  ]) {
    assert.ok(`${stdout}${stderr}`.includes(line), `${line} is shown`)
  }
  assert.ok(!stdout.includes('\x1b'), 'no colours off a terminal')
  assert.deepEqual(
    readdirSync(temporary).filter((name) => name.startsWith('grite-tour-')),
    [],
  )
})
