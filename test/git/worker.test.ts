import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { openRepository } from '../../src/git/index.ts'
import { RefMovedError } from '../../src/model/errors/index.ts'
import { walRef } from '../../src/wal/index.ts'
import { childProgram } from '../support/child-program.ts'
import type { PublishingOrder } from './publishing-child.ts'
import { planOf, sampleCommit } from './sample-commits.ts'
import { createTempRepository } from './temp-repository.ts'

const commits = 8

for (const implementation of ['combined', 'native'] as const) {
  test(`worker threads and the main thread publish concurrently (${implementation})`, async (t) => {
    const repository = await createTempRepository(t)
    const { layout, environment, path: cwd, run } = repository
    const program = childProgram('test/git/publishing-child.ts')
    const ended = ['first', 'second'].map(async (name) => {
      const order: PublishingOrder = { cwd, environment, implementation, name, commits }
      const worker = new Worker(program.at(-1) as string, {
        argv: [JSON.stringify(order)],
        execArgv: program.slice(0, -1),
      })
      const [exitStatus] = await once(worker, 'exit')
      return exitStatus
    })
    const port = openRepository(layout, { environment })
    for (let done = 0; done < commits; ) {
      const head = await port.readRef(walRef)
      try {
        await port.publish(planOf(sampleCommit('sha1', head === null ? [] : [head], `main ${done}`), head))
        done += 1
      } catch (error) {
        if (!(error instanceof RefMovedError)) throw error
      }
    }
    assert.deepEqual(await Promise.all(ended), [0, 0])
    await port.close()
    const subjects = run('log', '--format=%s', walRef).split('\n')
    const names = ['first', 'second', 'main'].flatMap((name) =>
      Array.from({ length: commits }, (_v, i) => `${name} ${i}`),
    )
    assert.deepEqual(subjects.sort(), names.sort())
    run('fsck', '--strict', '--no-dangling')
  })
}
