/** Writers concurrent with a loop of `git prune --expire=now`, which `git gc --prune=now` runs. */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { openNative, openRepository, parseRefName } from '../../src/git/index.ts'
import { planOf, sampleCommit } from '../git/sample-commits.ts'
import { createTempRepository } from '../git/temp-repository.ts'

for (const [name, open, commits] of [
  ['combined', openRepository, 300],
  ['native', openNative, 40],
] as const) {
  test(`a concurrent git prune fails no write and loses no checked object: ${name}`, async (t) => {
    const { layout, environment, path } = await createTempRepository(t)
    const pruner = spawn('sh', ['-c', 'while :; do git prune --expire=now; done'], {
      cwd: path,
      env: environment,
      stdio: 'ignore',
      detached: true,
    })
    const ended = once(pruner, 'close')
    const missing = new Set<number>()
    let current = 0
    const port = open(layout, {
      environment,
      hooks: {
        at(point) {
          if (point === 'published' && !isHere(current)) missing.add(current)
        },
      },
    })
    const commitOf = (index: number) => sampleCommit(layout.objectFormat, [], `${name} ${index}`)
    // Whether all objects of the commit exist, loose or in a pack.
    const isHere = (index: number) => {
      const input = commitOf(index)
        .objects.map(({ oid }) => `${oid}\n`)
        .join('')
      const options = { cwd: path, env: environment, input, encoding: 'utf8' } as const
      return !execFileSync('git', ['cat-file', '--batch-check'], options).includes('missing')
    }
    try {
      for (current = 0; current < commits; current++) {
        await port.publish(planOf(commitOf(current), null, parseRefName(`refs/grite/side/${current}`)))
      }
    } finally {
      process.kill(-(pruner.pid as number), 'SIGKILL')
      await ended
      await port.close()
    }
    // A prune that began before the ref moved may still delete objects after the check of the publish.
    assert.ok(missing.size <= commits / 20, `${missing.size} of ${commits}`)
  })
}
