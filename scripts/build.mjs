// Bundles the command line into dist/. The entry holds what every start needs; whatever the source loads with
// `await import()` becomes a file of its own, so that printing an issue does not parse yargs. Native addons stay outside.
//
// esbuild splits only ES modules, and Node starts CommonJS faster; so each part is split first and then rewritten.
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { build, transform } from 'esbuild'

const entry = 'dist/grite.cjs'

rmSync('dist', { recursive: true, force: true })
const { outputFiles } = await build({
  entryPoints: { grite: 'bin/grite.ts' },
  outdir: 'dist',
  outExtension: { '.js': '.cjs' },
  chunkNames: 'parts/[name]-[hash]',
  bundle: true,
  splitting: true,
  write: false,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  external: ['classic-level'],
})
for (const { path, text } of outputFiles) {
  const { code } = await transform(text, {
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    // `import()` becomes a `require()` that runs when it is reached.
    supported: { 'dynamic-import': false },
  })
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, code)
}
chmodSync(entry, 0o755)
