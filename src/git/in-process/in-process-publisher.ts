import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { GitError } from '../../model/errors/index.ts'
import { booleanValue, parseFileConfig } from '../file-config.ts'
import type { Oid, PublishPlan } from '../port.ts'
import type { PortContext } from '../port-context.ts'
import { shareDisk } from '../shared-permissions.ts'
import { committerOf, publishInProcess, tidyTemporaryFiles } from './publish-in-process.ts'

/** Publishes in process where the in-process writers support it; git does the rest. */
export interface InProcessPublisher {
  /** False for refs outside grite's own, and where refs are not files. */
  canPublish(plan: PublishPlan): boolean
  /** @param committer - for the reflog, when the plan contains no commit */
  publish(plan: PublishPlan, committer?: string): Promise<void>
}

interface WriterSettings {
  /** False for a configuration that only git understands. */
  readonly isKnown: boolean
  readonly logsEveryRef: boolean
}

/** Refs without side effects in other programs: no HEAD, branch hooks or index. */
const ownRefs = /^refs\/grite(-[a-z]+)?\//

/** @param hasObject - whether the repository has an object, in any of its stores */
export function createInProcessPublisher(
  context: PortContext,
  hasObject: (oid: Oid) => Promise<boolean>,
): InProcessPublisher {
  let settings: WriterSettings | undefined
  let isTidy = false

  function writerSettings(): WriterSettings {
    settings ??= readWriterSettings(join(context.layout.commonDir, 'config'))
    return settings
  }

  return {
    canPublish({ updates }) {
      if (context.layout.refStorage !== 'files' || !writerSettings().isKnown) return false
      return updates.every(({ ref }) => ownRefs.test(ref))
    },
    async publish(plan, committer = committerOf(plan)) {
      if (context.closed()) throw new GitError('the repository has been closed')
      context.requirePermanentStore()
      const { logsEveryRef } = writerSettings()
      const flushSettings = context.flushSettings()
      // Awaited only after files are staged.
      flushSettings.catch(() => {})
      const disk = shareDisk(context.disk, await context.permissions())
      await publishInProcess({ ...context, disk, committer, logsEveryRef, flushSettings, hasObject }, plan)
      if (isTidy) return
      isTidy = true
      tidyTemporaryFiles({ ...context, disk })
    },
  }
}

function readWriterSettings(path: string): WriterSettings {
  const config = parseFileConfig(readFileSync(path, 'utf8'))
  if (config === null) return { isKnown: false, logsEveryRef: false }
  return { isKnown: true, logsEveryRef: booleanValue(config, 'core.logallrefupdates') === null }
}
