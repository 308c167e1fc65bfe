import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { GitError } from '../../model/errors/index.ts'
import { publishInProcess, tidyTemporaryFiles } from '../durable/publish-in-process.ts'
import { booleanValue, lastValue, parseFileConfig } from '../file-config.ts'
import type { PublishPlan } from '../port.ts'
import type { PortContext } from '../port-context.ts'

/** Publishes in process what the in-process writers can; the rest is git's. */
export interface InProcessPublisher {
  /** False: shared permissions, deletions, or refs beside grite's own. */
  canPublish(plan: PublishPlan): boolean
  publish(plan: PublishPlan): Promise<void>
}

interface WriterSettings {
  /** core.sharedRepository: git sets group permissions on all it makes. */
  readonly isShared: boolean
  readonly logsEveryRef: boolean
}

/** Refs that no other program attaches anything to: HEAD, hooks of branches, an index. */
const ownRefs = /^refs\/grite(-[a-z]+)?\//

export function createInProcessPublisher(context: PortContext): InProcessPublisher {
  let settings: WriterSettings | undefined
  let isTidy = false

  function writerSettings(): WriterSettings {
    settings ??= readWriterSettings(join(context.layout.commonDir, 'config'))
    return settings
  }

  return {
    canPublish({ updates }) {
      if (context.layout.refStorage !== 'files' || writerSettings().isShared) return false
      return updates.every(({ ref, next }) => next !== null && ownRefs.test(ref))
    },
    async publish(plan) {
      if (context.closed()) throw new GitError('the repository has been closed')
      const { logsEveryRef } = writerSettings()
      const flushSettings = context.flushSettings()
      // It is awaited only after files have been staged.
      flushSettings.catch(() => {})
      await publishInProcess({ ...context, logsEveryRef, flushSettings }, plan)
      if (isTidy) return
      isTidy = true
      tidyTemporaryFiles(context.disk, context.layout)
    },
  }
}

function readWriterSettings(path: string): WriterSettings {
  const config = parseFileConfig(readFileSync(path, 'utf8'))
  if (config === null) return { isShared: true, logsEveryRef: false }
  const shared = lastValue(config, 'core.sharedrepository')?.toLowerCase()
  return {
    isShared: shared !== undefined && !['umask', 'false', 'no', 'off', '0'].includes(shared),
    logsEveryRef: booleanValue(config, 'core.logallrefupdates') === null,
  }
}
