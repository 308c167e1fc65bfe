// Bundles a program of the benches into one file, so that it runs as fast as users' code: the loader of the tests slows
// small functions down by half.
import { build } from 'esbuild'
import { builtThreads, whereTheyWere } from './bundle-tests.mjs'

const [entry, outfile] = process.argv.slice(2)
await build({
  entryPoints: [entry],
  outfile,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  packages: 'external',
  logLevel: 'error',
  plugins: [builtThreads, whereTheyWere],
})
