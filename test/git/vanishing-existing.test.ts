/** Objects that git cannot read while it compares them with the same ones in a pack of ours: pruned meanwhile, or damaged. */
import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { openNative } from '../../src/git/index.ts'
import { looseObjectsMax } from '../../src/git/native/write-objects.ts'
import { looseObjectPath } from '../../src/git/ref-paths.ts'
import { walRef } from '../../src/wal/index.ts'
import { planOf, sampleCommit } from './sample-commits.ts'
import { createTempRepository } from './temp-repository.ts'

test('a pack is written again when an object vanished that git compared with one in it', async (t) => {
  const { layout, environment, path } = await createTempRepository(t)
  const folder = join(dirname(path), 'failing-git')
  const failed = join(folder, 'failed')
  mkdirSync(folder)
  writeFileSync(
    join(folder, 'git'),
    `#!/bin/sh
case " $* " in
  *' index-pack '*)
    if [ ! -e '${failed}' ]; then
      : > '${failed}'
      cat > /dev/null
      echo 'fatal: cannot read existing object info 0d61b0b086784f78bf443a793f8b7bdd9b1cf27f' >&2
      exit 128
    fi ;;
esac
PATH='${environment.PATH}' exec git "$@"
`,
  )
  chmodSync(join(folder, 'git'), 0o755)
  const port = openNative(layout, { environment: { ...environment, PATH: `${folder}:${environment.PATH}` } })
  t.after(() => port.close())
  const files = Object.fromEntries(Array.from({ length: looseObjectsMax + 1 }, (_, index) => [`f${index}`, `${index}`]))
  const commit = sampleCommit(layout.objectFormat, [], 'many', files)
  await port.publish(planOf(commit, null))
  assert.ok(existsSync(failed))
  assert.equal(await port.readRef(walRef), commit.oid)
})

test('a damaged object is set aside when its content is written again in a pack', async (t) => {
  const { layout, environment, run } = await createTempRepository(t)
  const port = openNative(layout, { environment })
  t.after(() => port.close())
  const files = Object.fromEntries(Array.from({ length: looseObjectsMax + 1 }, (_, index) => [`f${index}`, `${index}`]))
  const commit = sampleCommit(layout.objectFormat, [], 'many', files)
  const damaged = commit.objects.filter(({ type }) => type === 'blob').slice(0, 2)
  for (const { oid } of damaged) {
    const path = looseObjectPath(layout, oid)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, 'damaged')
  }
  const startedMs = performance.now()
  await port.publish(planOf(commit, null))
  assert.equal(await port.readRef(walRef), commit.oid)
  run('fsck', '--strict', commit.oid)
  assert.deepEqual(
    readdirSync(join(layout.commonDir, 'grite/corrupt')).sort(),
    damaged.map(({ oid }) => oid as string).sort(),
  )
  t.diagnostic(`${(performance.now() - startedMs).toFixed(0)} ms`)
})
