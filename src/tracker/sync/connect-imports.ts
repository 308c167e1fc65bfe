import { connectWaiting } from '../../import/index.ts'
import { importBaseline } from '../import/import-beads.ts'
import { BatchWriter } from '../import/import-writer.ts'
import type { Workspace } from '../workspace.ts'

/** Mark of the last run: the head of the log and the view's note on imports. */
const markName = 'connected_imports'

/**
 * Adds the edges that imports kept as text and whose target has since arrived. Every clone creates the same events for
 * them, so the order of clones does not matter. Skips the scan if nothing was imported since the last run.
 *
 * @returns the number of written events
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
