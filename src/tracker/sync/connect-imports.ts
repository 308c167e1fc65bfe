import { connectWaiting } from '../../import/index.ts'
import type { View } from '../../view/index.ts'
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
  if ((await findImports(await repository.glance())) === undefined) return 0
  // A glance may show an older note.
  const view = await repository.view()
  const found = await findImports(view)
  if (found === undefined) return 0
  const { mark, known } = found
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

/** The marks of the imports now and at the last run; undefined when there is nothing to connect. */
async function findImports(
  view: View,
): Promise<{ readonly mark: string; readonly known: string | undefined } | undefined> {
  const [head, known] = (await view.readMeta(markName))?.split(' ') ?? []
  if (view.head === null || view.head === head) return undefined
  const mark = await view.importMark()
  return mark === undefined ? undefined : { mark, known }
}
