import { connectWaiting } from '../../import/index.ts'
import { importBaseline } from '../import/import-beads.ts'
import { BatchWriter } from '../import/import-writer.ts'
import type { Workspace } from '../workspace.ts'

/** Head of the log, and what the view said of imports, when their edges were last looked through. */
const markName = 'connected_imports'

/**
 * Adds the edges that imports have kept as text and whose other end has come from elsewhere. Every clone makes the same
 * events of them, so it does not matter which one is first. Looks only where an import has brought something since.
 *
 * @returns the number of events that were written
 */
export async function connectImports(repository: Workspace, nowUnixMs: () => number): Promise<number> {
  const view = await repository.view()
  const [head, known] = (await view.readMeta(markName))?.split(' ') ?? []
  if (view.head === null || view.head === head) return 0
  const mark = await view.importMark()
  if (mark === undefined) return 0
  if (mark === known) {
    await repository.changeView((view) => view.writeMeta(markName, `${view.head} ${mark}`))
    return 0
  }
  return repository.exclusively(async () => {
    const writer = new BatchWriter(repository, { dryRun: false, nowUnixMs })
    let written = 0
    for await (const { events } of connectWaiting(importBaseline(repository), () => true)) {
      written += events.length
      await writer.add(events)
    }
    await writer.finish()
    await repository.changeView((after) => after.writeMeta(markName, `${after.head} ${mark}`))
    return written
  })
}
