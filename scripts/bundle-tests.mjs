// Bundles tests and the programs that they start into a folder. Shared code is compiled only once; loading the sources one by
// one would take each process more than a second.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'

/** Programs that tests start as child processes or threads; see test/support/child-program.ts. */
const childPrograms = [
  'test/cli/fake-grite.ts',
  'test/contract/line-program.ts',
  'test/git/publishing-child.ts',
  'test/support/command-child.ts',
  'test/support/daemon-child.ts',
  'test/wal/stream-child.ts',
  'test/wal/streams/acting-child.ts',
  'test/wal/streams/journal/journal-child.ts',
]

/**
 * @param files - paths relative to the project folder
 * @returns the bundle of each file
 */
export async function bundleTests(files, outdir) {
  await build({
    entryPoints: [...new Set([...files, ...childPrograms])],
    outdir,
    outbase: '.',
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    packages: 'external',
    sourcemap: 'linked',
    logLevel: 'error',
    plugins: [builtThreads, whereTheyWere],
  })
  return files.map((file) => `${outdir}/${file.replace(/\.ts$/, '.mjs')}`)
}

/** Threads run the programs of the build. */
export const builtThreads = {
  name: 'built-threads',
  setup(plugin) {
    plugin.onLoad({ filter: /[\\/]seal-worker-path\.ts$/ }, () => ({
      contents: `export const sealWorkerPath = () => ${JSON.stringify(resolve('dist/seal-worker.cjs'))}`,
      loader: 'ts',
    }))
  },
}

/** Restores the original paths, with which sources find fixtures and the bundle. */
export const whereTheyWere = {
  name: 'where-they-were',
  setup(plugin) {
    plugin.onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8')
      if (!text.includes('import.meta.url')) return undefined
      return { contents: text.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)), loader: 'ts' }
    })
  },
}
