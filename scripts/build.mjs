// Builds dist/: the command line as three scripts with a loader and V8's compiled code, and the library as one bundle. Reading
// a large file is cheap, but resolving and compiling many files takes most of the time of a short command. Which modules are
// in which script is found by running everyday commands; see loader.cjs. Large packages that few commands need get separate
// files; the native addon is not bundled.
import { createHash } from 'node:crypto'
import { chmodSync, copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { build } from 'esbuild'
import { buildLauncher } from './build-launcher.mjs'
import { apart, lazyBuiltins, nativeAddon, seldomUsed } from './esbuild-plugins.mjs'
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
mkdirSync(draft, { recursive: true })
await Promise.all([buildLibrary(), buildPackages(), buildClient()])
await buildCommandLine()
const whyNoLauncher = buildLauncher(draft)
if (whyNoLauncher !== undefined) console.log(`dist/grite-fast was not built: ${whyNoLauncher}`)
rmSync('dist', { recursive: true, force: true })
renameSync(draft, 'dist')

async function buildCommandLine() {
  const modules = await linkModules({
    entry: 'src/cli/bundle.ts',
    load: async (path) => (await lazyCommandTable(path)) ?? redirectBarrels(path),
    apart: new Map([
      ...Object.entries(seldomUsed).map(([name, path]) => [path, `./packages/${name}.cjs`]),
      ['./schemas.json', './packages/schemas.json'],
    ]),
    packagePlugins: [nativeAddon(), lazyBuiltins()],
  })
  // The index of a layer evaluates the whole layer.
  const barrels = [...modules.keys()].filter((id) => /^\w+(\/errors)?\/index$/.test(id))
  if (barrels.length > 0) throw new Error(`${barrels.join(', ')} would be evaluated; see scripts/past-barrels.mjs`)
  writeLoader('')
  await writeScripts(modules, { hot: modules, warm: new Map() })
  await writeScripts(modules, findEverydayModules(draft))
  writeLoader(nameBuild(['hot.cjs', 'warm.cjs', 'cold.cjs', 'client.cjs', 'library.cjs']))
  // Compiled in separate processes, so that code of the build itself does not get into the cache.
  const { v8 } = process.versions
  const code = compileEveryday(draft)
  mkdirSync(`${draft}/code`)
  for (const [name, bytes] of code) writeFileSync(`${draft}/code/${name}-${v8}-${process.arch}`, bytes)
  const { scripts: compiled } = createRequire(import.meta.url)(`${draft}/grite.cjs`)
  if (compiled.hot.cachedDataRejected !== false) throw new Error('V8 rejected the compiled code')
}

/** The client of the daemon, which the loader runs before anything else. */
async function buildClient() {
  const plugins = [pastBarrels(), lazyBuiltins()]
  await build({ ...output, entryPoints: { client: 'src/cli/thin-client.ts' }, plugins })
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

async function writeScripts(modules, { hot, warm }) {
  const scriptOf = (id) => (hot.has(id) ? 'hot' : warm.has(id) ? 'warm' : 'cold')
  for (const name of ['hot', 'warm', 'cold']) {
    const ids = [...modules.keys()].filter((id) => scriptOf(id) === name)
    writeFileSync(`${draft}/${name}.cjs`, await formatScript(modules, ids))
  }
}

function writeLoader(bundleId) {
  copyFileSync('scripts/loader.cjs', `${draft}/grite.cjs`)
  chmodSync(`${draft}/grite.cjs`, 0o755)
  writeFileSync(`${draft}/own-code.cjs`, readFileSync('scripts/own-code.cjs', 'utf8').replace('@bundle-id@', bundleId))
}

async function buildLibrary() {
  await build({
    ...output,
    entryPoints: { library: 'src/library/index.ts' },
    external: ['node-gyp-build'],
    plugins: [lazyCommands(), pastBarrels(), nativeAddon(), apart(), lazyBuiltins()],
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

async function buildPackages() {
  await build({
    ...output,
    outdir: `${draft}/packages`,
    // Of hash-wasm, the file with BLAKE2b only: the index has every algorithm.
    entryPoints: { ...seldomUsed, 'hash-wasm': 'hash-wasm/dist/blake2b.umd.min.js' },
    // An ES module gets the result of `require` as the default export.
    footer: { js: 'if (module.exports.default) module.exports = module.exports.default' },
  })
  writeFileSync(
    `${draft}/packages/schemas.json`,
    JSON.stringify(JSON.parse(readFileSync('src/commands/schemas.json', 'utf8'))),
  )
}
