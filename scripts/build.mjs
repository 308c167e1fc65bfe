// Builds dist/: the command line as scripts with a loader and V8's compiled code, and the library as one bundle. Reading
// a large file is cheap, but resolving and compiling many files takes most of the time of a short command. Which modules are
// in which script is found by running everyday commands; see loader.cjs. Large packages that few commands need get separate
// files; the native addon is not bundled.
import { createHash } from 'node:crypto'
import { chmodSync, copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { relative, resolve } from 'node:path'
import { build } from 'esbuild'
import { buildLauncher } from './build-launcher.mjs'
import {
  apart,
  builtGrammars,
  lazyBuiltins,
  lazyHostname,
  nativeAddon,
  nativePackages,
  seldomUsed,
  threadPaths,
  threadPrograms,
} from './esbuild-plugins.mjs'
import { lazyCommands, lazyCommandTable } from './lazy-commands.mjs'
import { formatScript, linkModules } from './link-modules.mjs'
import { pastBarrels, redirectBarrels } from './past-barrels.mjs'
import { compileEveryday, findEverydayModules } from './run-everyday.mjs'

// Built in a temp folder and swapped in, so that a failed build keeps the old one.
const draft = resolve(`node_modules/.cache/grite-dist-${process.pid}`)
const output = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  outdir: draft,
  outExtension: { '.js': '.cjs' },
  charset: 'ascii',
  minify: true,
  legalComments: 'none',
  // `import()` of external modules becomes `require()`: a script compiled by hand has no dynamic import.
  supported: { 'dynamic-import': false },
  logLevel: 'error',
}
/** Scripts with copies of modules, for one command each. */
const ownScriptNames = ['sync', 'settle', 'exchange', 'rebuild', 'refill']
const scriptNames = ['hot', 'warm', ...ownScriptNames, 'cold']
const clientPlugins = [pastBarrels(), lazyBuiltins(['net'])]
mkdirSync(draft, { recursive: true })
await Promise.all([buildLibrary(), buildPackages(), buildClient(), buildThreads()])
await buildCommandLine()
const whyNoLauncher = buildLauncher(draft)
if (whyNoLauncher !== undefined) console.log(`dist/grite-fast was not built: ${whyNoLauncher}`)
rmSync('dist', { recursive: true, force: true })
renameSync(draft, 'dist')

async function buildCommandLine() {
  const modules = await linkModules({
    entry: 'src/cli/bundle.ts',
    load: async (path) =>
      threadPrograms[relative(resolve('.'), path)] ?? (await lazyCommandTable(path)) ?? redirectBarrels(path),
    apart: new Map([
      ...Object.entries(seldomUsed).map(([name, path]) => [path, `./packages/${name}.cjs`]),
      ['./schemas.json', './packages/schemas.json'],
      ['./mcp-sdk.ts', './packages/mcp-sdk.cjs'],
      ...nativePackages.map((name) => [name, name]),
    ]),
    packagePlugins: [nativeAddon(), lazyBuiltins()],
  })
  // The index of a layer evaluates the whole layer.
  const barrels = [...modules.keys()].filter((id) => /^\w+(\/errors)?\/index$/.test(id))
  if (barrels.length > 0) throw new Error(`${barrels.join(', ')} would be evaluated; see scripts/past-barrels.mjs`)
  await writeLoader('')
  await writeScripts(modules, { hot: modules })
  await writeScripts(modules, findEverydayModules(draft))
  await writeLoader(nameBuild([...scriptNames, 'client', 'library'].map((name) => `${name}.cjs`)))
  // Compiled in separate processes, so that code of the build itself does not get into the cache.
  const { v8 } = process.versions
  const code = compileEveryday(draft)
  mkdirSync(`${draft}/code`)
  for (const [name, bytes] of code) writeFileSync(`${draft}/code/${name}-${v8}-${process.arch}`, bytes)
  const { scripts: compiled } = createRequire(import.meta.url)(`${draft}/grite.cjs`)
  if (compiled.hot.cachedDataRejected !== false) throw new Error('V8 rejected the compiled code')
}

/** The client of the daemon, which the loader runs before anything else where one listens. */
async function buildClient() {
  await build({
    ...output,
    entryPoints: { client: 'src/cli/thin-client.ts' },
    plugins: clientPlugins,
    // The value of the script is a function, as of the others.
    banner: { js: '(function (require) { "use strict"; const module = { exports: {} };' },
    footer: { js: 'return module.exports })' },
  })
}

/** The loader with the search for a daemon in it. Old versions of Node must be able to parse it. */
async function formatLoader() {
  const { outputFiles } = await build({
    ...output,
    target: 'es2015',
    write: false,
    entryPoints: ['src/cli/find-socket.ts'],
    plugins: [lazyHostname(), pastBarrels()],
  })
  const loader = readFileSync('scripts/loader.cjs', 'utf8')
  const call = "require('./find-socket.cjs')"
  if (!loader.includes(call)) throw new Error('the loader does not look for a daemon')
  const code = `(function (module) { ${outputFiles[0].text.trim()} return module.exports })({ exports: {} })`
  return loader.replace(call, () => code)
}

/**
 * Puts the id of the build, a hash of the scripts, where `src/ipc/build-id.ts` has a placeholder, and into a file of its own.
 * @returns the id
 */
function nameBuild(names) {
  const hash = createHash('sha256')
  for (const name of names) hash.update(readFileSync(`${draft}/${name}`))
  const id = hash.digest('hex').slice(0, 32)
  for (const name of names) {
    const path = `${draft}/${name}`
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll('@grite-build-id@', id))
  }
  writeFileSync(`${draft}/build-id`, id)
  return id
}

async function writeScripts(modules, everyday) {
  const { hot, warm = new Set() } = everyday
  const isIn = {
    ...Object.fromEntries(['hot', 'warm', ...ownScriptNames].map((name) => [name, (id) => everyday[name]?.has(id)])),
    cold: (id) => !hot.has(id) && !warm.has(id),
  }
  for (const name of scriptNames) {
    const ids = [...modules.keys()].filter(isIn[name])
    writeFileSync(`${draft}/${name}.cjs`, await formatScript(modules, ids))
  }
}

async function writeLoader(bundleId) {
  writeFileSync(`${draft}/grite.cjs`, await formatLoader())
  chmodSync(`${draft}/grite.cjs`, 0o755)
  writeFileSync(`${draft}/own-code.cjs`, readFileSync('scripts/own-code.cjs', 'utf8').replace('@bundle-id@', bundleId))
}

async function buildLibrary() {
  await build({
    ...output,
    entryPoints: { library: 'src/library/index.ts' },
    external: ['node-gyp-build', './seal-worker.cjs', './parse-worker.cjs', ...nativePackages],
    plugins: [threadPaths(), lazyCommands(), pastBarrels(), nativeAddon(), apart(), lazyBuiltins()],
  })
  // Otherwise Node would parse the whole library once more to find its named exports.
  const names = Object.keys(createRequire(import.meta.url)(`${draft}/library.cjs`))
  writeFileSync(
    `${draft}/library.mjs`,
    [
      "import { createRequire } from 'node:module'",
      `export const { ${names.join(', ')} } = createRequire(import.meta.url)('./library.cjs')`,
      '',
    ].join('\n'),
  )
}

/** The programs of threads. */
async function buildThreads() {
  await build({
    ...output,
    entryPoints: { 'seal-worker': 'src/wal/streams/seal-worker.ts' },
    external: nativePackages,
    plugins: [pastBarrels(), apart()],
  })
  await build({
    ...output,
    entryPoints: { 'parse-worker': 'src/tracker/context/parse-worker.ts' },
    // The ES module finds itself by `import.meta`.
    alias: { 'web-tree-sitter': resolve('node_modules/web-tree-sitter/tree-sitter.cjs') },
    plugins: [builtGrammars(), pastBarrels()],
  })
  mkdirSync(`${draft}/grammars`, { recursive: true })
  copyFileSync('node_modules/web-tree-sitter/tree-sitter.wasm', `${draft}/grammars/parser.wasm`)
  const { grammars } = await importSource('src/tracker/context/grammars.ts')
  for (const { file } of Object.values(grammars)) {
    copyFileSync(`node_modules/tree-sitter-wasms/out/tree-sitter-${file}.wasm`, `${draft}/grammars/${file}.wasm`)
  }
}

/** The exports of a source that imports nothing at run time. */
async function importSource(path) {
  const { outputFiles } = await build({
    ...output,
    outdir: undefined,
    write: false,
    format: 'esm',
    entryPoints: [path],
  })
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`)
}

async function buildPackages() {
  await build({
    ...output,
    outdir: `${draft}/packages`,
    // Of hash-wasm, the file with BLAKE2b only: the index has every algorithm.
    entryPoints: {
      ...seldomUsed,
      'hash-wasm': 'hash-wasm/dist/blake2b.umd.min.js',
      'mcp-sdk': 'src/mcp/mcp-sdk.ts',
    },
    // An ES module gets the result of `require` as the default export.
    footer: { js: 'if (module.exports.default) module.exports = module.exports.default' },
  })
  // The package reads it from the folder that it is in.
  copyFileSync('node_modules/@bokuweb/zstd-wasm/dist/common/zstd.wasm', `${draft}/packages/zstd.wasm`)
  writeFileSync(
    `${draft}/packages/schemas.json`,
    JSON.stringify(JSON.parse(readFileSync('src/commands/schemas.json', 'utf8'))),
  )
}
