import assert from 'node:assert/strict'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { ViewDirectory } from '../../src/view/view-directory.ts'
import { createClones } from './clones.ts'

test('a sync with a slow remote does not hold the view', async (t) => {
  const setup = createClones(t)
  const bo = setup.clone('bo')
  await bo.create('one')
  await bo.sync()
  const go = join(setup.dir, 'go')
  const slow = join(setup.dir, 'slow-upload-pack')
  writeFileSync(
    slow,
    `#!/bin/sh\nn=0\nwhile [ ! -e '${go}' ] && [ $n -lt 1500 ]; do sleep 0.02; n=$((n + 1)); done\nexec git-upload-pack "$@"\n`,
  )
  chmodSync(slow, 0o755)
  bo.git('config', 'remote.origin.uploadpack', slow)
  await bo.create('two')
  const level = await bo.withRepository(async (repository) =>
    repository.paths.viewLevels((await repository.findActor())?.actor.id),
  )
  let isDone = false
  const syncing = bo.sync().finally(() => {
    isDone = true
  })
  // The sync opens the view first, and does not end before `go` is there, or half a minute is over.
  const tryToOpen = async () => (await new ViewDirectory(level).open()).store
  let store = null
  let wasLocked = false
  while (!isDone && (store === null || !wasLocked)) {
    await store?.close()
    store = await tryToOpen()
    wasLocked ||= store === null
    await sleep(1)
  }
  assert.equal(isDone, false)
  await store?.close()
  await bo.create('during')
  assert.deepEqual(await bo.titles(), ['during', 'one', 'two'])
  writeFileSync(go, '')
  await syncing
  assert.equal(bo.head(), setup.originHead())
  assert.deepEqual(await bo.titles(), ['during', 'one', 'two'])
  await bo.assertSound()
})
