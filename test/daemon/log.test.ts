import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { earlierLogPath, openDaemonLog } from '../../src/daemon/index.ts'
import { createSandbox } from '../git/temp-repository.ts'

const mebibyte = 1024 * 1024

test('the log keeps its last one to two MiB in two private files', (t) => {
  const path = join(createSandbox(t).dir, 'daemon.log')
  const log = openDaemonLog(path)
  for (let index = 0; index < 3000; index++) log.info({ index, text: 'ä'.repeat(700) }, 'a line')
  const [earlier, current] = [earlierLogPath(path), path].map((file) => readFileSync(file, 'utf8')) as [string, string]
  for (const file of [earlierLogPath(path), path]) {
    assert.ok(statSync(file).size <= mebibyte, `${statSync(file).size} bytes`)
    assert.equal(statSync(file).mode & 0o777, 0o600)
  }
  const indexes = `${earlier}${current}`
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).index)
  assert.equal(indexes.at(-1), 2999)
  assert.deepEqual(
    indexes,
    indexes.map((_, place) => 3000 - indexes.length + place),
  )
})

test('a log that was there is continued', (t) => {
  const path = join(createSandbox(t).dir, 'daemon.log')
  writeFileSync(path, '{"msg":"before"}\n')
  openDaemonLog(path).warn({}, 'after')
  assert.deepEqual(
    readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).msg),
    ['before', 'after'],
  )
})

test('a log that cannot be written does not disturb', (t) => {
  const { dir } = createSandbox(t)
  openDaemonLog(join(dir, 'absent/daemon.log')).info({}, 'lost')
})
