// A program that the crash, race and worker tests run: publishes to the log of a repository and may kill itself.

import { findRepository, openNative, openRepository, type PublishPoint, type RefName } from '../../src/git/index.ts'
import { RefMovedError } from '../../src/model/errors/index.ts'
import { walRef } from '../../src/wal/index.ts'
import { planOf, sampleCommit } from './sample-commits.ts'

export interface PublishingOrder {
  readonly cwd: string
  readonly environment: Readonly<Record<string, string>>
  readonly implementation: 'combined' | 'native'
  /** Prefix of every commit message. */
  readonly name: string
  readonly commits: number
  /** A ref to delete before the commits. */
  readonly deletes?: RefName
  /** The point at which the process kills itself. */
  readonly dieAt?: PublishPoint
}

const order = JSON.parse(process.argv[2] ?? '') as PublishingOrder
const layout = await findRepository({ cwd: order.cwd, env: order.environment })
const open = order.implementation === 'native' ? openNative : openRepository
const port = open(layout, {
  environment: order.environment,
  hooks: {
    at(point) {
      if (point === order.dieAt) process.kill(process.pid, 'SIGKILL')
    },
  },
})
if (order.deletes !== undefined) {
  const expected = await port.readRef(order.deletes)
  const update = { ref: order.deletes, expected, next: null, reflogMessage: 'deleted' }
  await port.publish({ objects: [], updates: [update] })
}
for (let done = 0; done < order.commits; ) {
  const head = await port.readRef(walRef)
  const commit = sampleCommit(layout.objectFormat, head === null ? [] : [head], `${order.name} ${done}`)
  try {
    await port.publish(planOf(commit, head))
    done++
  } catch (error) {
    if (!(error instanceof RefMovedError)) throw error
  }
}
await port.close()
