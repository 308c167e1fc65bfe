import { isRemovedFile } from '../../model/index.ts'
import { FileStates } from '../../tracker/context/find-symbols.ts'
import { warnIfNoLog } from '../../tracker/sync/no-log.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'

export const contextStale = defineCommand({
  name: 'context stale',
  summary: 'List files that changed since they were indexed',
  description: 'Exits with 1 when there are any, so that a script can index them.',
  examples: [{ command: 'grite context stale', explains: 'changed and missing files' }],
  served: true,
  effect: 'reads',
  arguments: {},
  options: {},
  async run(context) {
    const repository = await context.repository()
    const view = await repository.view()
    await warnIfNoLog(context, repository, view)
    const files = (await view.fileContexts()).filter(({ body }) => !isRemovedFile(body))
    const states = new FileStates(repository.layout)
    const stale = []
    for (const file of files) {
      const state = await states.of(file)
      if (state !== 'fresh') stale.push({ path: file.body.path, state, indexed_ts: file.version.tsUnixMs })
    }
    return {
      data: { count: stale.length, total_files: files.length, files: stale },
      exitStatus: stale.length > 0 ? 1 : 0,
    }
  },
})

export type ContextStaleInput = GivenInput<typeof contextStale>
export type ContextStaleData = DataOf<typeof contextStale>
