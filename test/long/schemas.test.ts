import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { projectDir } from '../tidy/source-files.ts'

test('the JSON Schemas match the definitions and types of the commands', () => {
  const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', 'scripts/schemas.mjs', '--check'], {
    cwd: projectDir,
    encoding: 'utf8',
  })
  assert.deepEqual([status, stderr], [0, ''])
})
