/** Writers beside `git prune --expire=now`, as `git gc --prune=now` runs it, without a pause. */
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
  test(`no write fails, and none is acknowledged whose objects were gone when it was looked: ${name}`, async (t) => {
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
    // Loose or in a pack.
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
    // Between the look and this line a prune that began before the ref moved may still take something.
    assert.ok(missing.size <= commits / 20, `${missing.size} of ${commits}`)
  })
}
