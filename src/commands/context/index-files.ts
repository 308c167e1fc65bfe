import { InvalidArgsError, makeVisible } from '../../model/index.ts'
import { indexFiles } from '../../tracker/context/index-files.ts'
import { pathPattern } from '../../tracker/context/path-pattern.ts'
import { pathFromTop } from '../../tracker/path-from-top.ts'
import type { Workspace } from '../../tracker/workspace.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'

export const contextIndex = defineCommand({
  name: 'context index',
  summary: 'Note the symbols of source files for all clones',
  description:
    'Reads the files that git tracks, and keeps the name, kind and lines of each function, class and type; nothing else of the files. Files ' +
    'that did not change are not read again, and files that are gone are noted as removed. Generated files ' +
    '(`linguist-generated`), files without diffs (`-diff`), binary ones, links, and those above 1 MiB are left out.',
  examples: [
    { command: 'grite context index', explains: 'all files' },
    { command: 'grite context index --path src --pattern "*.ts"', explains: 'TypeScript below src' },
    { command: 'grite context index --rev HEAD', explains: 'the files of a commit' },
  ],
  effect: 'sets',
  arguments: {},
  options: {
    path: {
      type: 'text',
      valueName: 'path',
      summary: 'Only this file, or files below this folder',
      repeatable: true,
      completes: 'file',
    },
    pattern: { type: 'text', valueName: 'glob', summary: 'Only paths that match; `*` also matches `/`' },
    rev: { type: 'text', valueName: 'commit', summary: 'Read the files of a commit instead of the work tree' },
    force: { type: 'boolean', summary: 'Read unchanged files again, too' },
    prune: { type: 'boolean', summary: 'Note files that are gone as removed; the default' },
    'no-prune': { type: 'boolean', summary: 'Keep the facts of files that are gone' },
  },
  async run(context, input) {
    if (input.prune && input.noPrune) {
      throw new InvalidArgsError('--prune and --no-prune exclude each other', { details: { field: 'prune' } })
    }
    const repository = await context.repository()
    const paths: string[] = []
    for (const typed of input.path) paths.push(await requirePath(repository, typed))
    const progress = context.progress('Indexing')
    try {
      const indexed = await indexFiles(repository, {
        // The top is all of it.
        paths: paths.includes('.') ? [] : paths,
        pattern: input.pattern === undefined ? null : pathPattern(input.pattern),
        rev: input.rev,
        force: input.force,
        prune: !input.noPrune,
        progress,
        interrupted: context.interrupted,
      })
      for (const { path, reason } of indexed.failed.slice(0, filesToldMax)) {
        context.warn({
          code: 'file-not-indexed',
          message: `${makeVisible(path)} was not indexed: ${reason}`,
          details: { path, reason },
        })
      }
      const untold = indexed.failed.length - filesToldMax
      if (untold > 0) {
        context.warn({
          code: 'files-not-indexed',
          message: `${untold} more files were not indexed`,
          details: { files: untold },
        })
      }
      return {
        data: {
          indexed: indexed.indexed,
          skipped: indexed.totalFiles - indexed.indexed,
          total_files: indexed.totalFiles,
          unchanged: indexed.unchanged,
          removed: indexed.removed,
          left_out: Object.fromEntries([...indexed.leftOut].sort()) as Readonly<Record<string, number>>,
          wal_head: indexed.head,
        },
      }
    } finally {
      progress.end()
    }
  },
})

export type ContextIndexInput = GivenInput<typeof contextIndex>
export type ContextIndexData = DataOf<typeof contextIndex>

/** Files with a warning each; the rest are counted. */
const filesToldMax = 5

async function requirePath(repository: Workspace, typed: string): Promise<string> {
  const path = await pathFromTop(repository, typed)
  if (path !== null) return path
  throw new InvalidArgsError(`--path must be in the work tree, got '${typed}'`, {
    details: { field: 'path', value: typed, allowed: 'a path in the work tree' },
  })
}
