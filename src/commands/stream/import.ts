import { resolve } from 'node:path'
import { importBundle } from '../../tracker/streams/import-bundle.ts'
import { fetchedJson } from '../../tracker/streams/reach-remote.ts'
import { type DataOf, defineCommand, type GivenInput } from '../define-command.ts'

export const streamImport = defineCommand({
  name: 'stream import',
  summary: 'Import streams from a file of stream export',
  description:
    'Checks every record of the file, then brings all its streams here, or none. A stream that this clone has moves forward; ' +
    'when both have records of their own, nothing is imported, and the error names both positions. The clone that wrote ' +
    'a stream still owns it: to append here, take it over with `grite stream takeover`, or branch it.',
  examples: [
    { command: 'grite stream import streams.bundle', explains: 'restore a backup' },
    { command: 'grite stream import streams.bundle --dry-run', explains: 'what it would bring here' },
  ],
  effect: 'sets',
  arguments: { file: { summary: 'File to import; - is standard input', completes: 'file' } },
  options: { 'dry-run': { type: 'boolean', summary: 'Check everything; bring nothing here' } },
  async run(context, { file, dryRun }) {
    const repository = await context.repository()
    const isStdin = file === '-'
    const path = isStdin ? null : resolve(context.cwd, file)
    const source = { file, chunks: isStdin ? context.text.stdinChunks() : null, isDryRun: dryRun }
    const streams = await importBundle(context, repository, source)
    return { data: { action: dryRun ? 'previewed' : 'imported', path, streams: streams.map(fetchedJson) } }
  },
})

export type StreamImportInput = GivenInput<typeof streamImport>
export type StreamImportData = DataOf<typeof streamImport>
