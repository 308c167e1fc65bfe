import { isRemovedFile, makeVisible, NotFoundError, nearWords, orderSymbols } from '../../model/index.ts'
import { FileStates } from '../../tracker/context/find-symbols.ts'
import { actorNames } from '../../tracker/identity/actor-names.ts'
import { pathFromTop } from '../../tracker/path-from-top.ts'
import { warnIfNoLog } from '../../tracker/sync/no-log.ts'
import type { View } from '../../view/index.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'

export const contextShow = defineCommand({
  name: 'context show',
  summary: 'Show what is known about a source file',
  description: 'Prints its language, summary and symbols, and whether it has changed since it was indexed.',
  examples: [{ command: 'grite context show src/parser.ts', explains: 'symbols by line' }],
  served: true,
  effect: 'reads',
  arguments: { path: { summary: 'Path of a file', completes: 'file' } },
  options: {},
  async run(context, input) {
    const repository = await context.repository()
    const view = await repository.view()
    await warnIfNoLog(context, repository, view)
    const path = (await pathFromTop(repository, input.path)) ?? input.path
    const file = await view.findFileContext(path)
    if (file === undefined || isRemovedFile(file.body)) throw await notIndexed(view, path)
    const { body, version } = file
    const names = await actorNames(repository, view, [version.actor])
    const symbols = orderSymbols(body.symbols).map(({ name, kind, lineStart, lineEnd }) => ({
      kind,
      line_end: lineEnd,
      line_start: lineStart,
      name,
    }))
    return {
      data: {
        content_hash: body.content_hash,
        language: body.language,
        path: body.path,
        summary: body.summary,
        symbol_count: symbols.length,
        symbols,
        state: await new FileStates(repository.layout).of(file),
        indexed_ts: version.tsUnixMs,
        actor: version.actor,
        actor_label: names.get(version.actor) ?? null,
      },
    }
  },
})

export type ContextShowInput = GivenInput<typeof contextShow>
export type ContextShowData = DataOf<typeof contextShow>

/** Paths looked at for suggestions. */
const candidatesMax = 5000

async function notIndexed(view: View, path: string): Promise<NotFoundError> {
  const all = (await view.fileContexts()).filter(({ body }) => !isRemovedFile(body)).map(({ body }) => body.path)
  const name = path.slice(path.lastIndexOf('/') + 1)
  const alike = all.filter((each) => each.endsWith(`/${name}`) || each === name).slice(0, 3)
  const near = alike.length > 0 ? alike : nearWords(path, all.slice(0, candidatesMax))
  return new NotFoundError(`nothing is known about the file '${makeVisible(path)}'`, {
    details: { field: 'path', value: path },
    hints: [
      ...near.map((each) => `Did you mean '${makeVisible(each)}'?`),
      ...(near.length === 0 ? ['Run `grite context index` to index the files of the repository'] : []),
    ],
  })
}
