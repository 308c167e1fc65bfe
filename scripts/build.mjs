// Bundles the command line and the library into one file each, with a loader and V8's compiled code: reading a large file is
// cheap, but resolving and compiling many files takes most of the time of a short command. Modules loaded with
// `await import()` are in the same file, but run only on use. Large packages that few commands need get separate files; the
// native addon is not bundled.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, resolve } from 'node:path'
import { build } from 'esbuild'
import { pastBarrels } from './past-barrels.mjs'

/** Command tables, by file, with the name of their export. */
const tables = new Map([
  [resolve('src/cli/all-commands.ts'), 'commandLineCommands'],
  [resolve('src/library/all-commands.ts'), 'libraryCommands'],
])
/** File name in `dist/packages/`, and the imported package. */
const seldomUsed = {
  'isomorphic-git': 'isomorphic-git',
  'memory-level': 'memory-level',
  pino: 'pino',
  yargs: 'yargs/yargs',
  csv: 'csv-stringify/sync',
  'hash-wasm': 'hash-wasm',
}
const shared = {
  bundle: true,
  platform: 'node',
  target: 'node20',
}

// Built in a temp folder and swapped in, so that a failed build keeps the old one.
const draft = `node_modules/.cache/grite-dist-${process.pid}`
const output = {
  ...shared,
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
for (const entryPoints of [{ bundle: 'src/cli/bundle.ts' }, { library: 'src/library/index.ts' }]) {
  const { metafile } = await build({
    ...output,
    metafile: true,
    entryPoints,
    external: ['node-gyp-build'],
    plugins: [lazyCommands(), pastBarrels(), nativeAddon(), apart(), lazyBuiltins(), lazyPackages()],
  })
  // An import through the index of a layer loads the whole layer at every start.
  const barrels = Object.keys(metafile.inputs)
    .filter((path) => /^src\/\w+(\/errors)?\/index\.ts$/.test(path))
    // Programs that embed the library have already started.
    .filter(() => entryPoints.library === undefined)
  if (barrels.length > 0)
    throw new Error(`${barrels.join(', ')} would run at every start; see scripts/past-barrels.mjs`)
}
await build({ ...output, entryPoints: { client: 'src/cli/thin-client.ts' }, plugins: [pastBarrels(), lazyBuiltins()] })
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
// Otherwise Node would parse the whole library once more to find its named exports.
const names = Object.keys(createRequire(import.meta.url)(resolve(draft, 'library.cjs')))
writeFileSync(
  `${draft}/library.mjs`,
  [
    "import { createRequire } from 'node:module'",
    `export const { ${names.join(', ')} } = createRequire(import.meta.url)('./library.cjs')`,
    '',
  ].join('\n'),
)
nameBuild(['bundle.cjs', 'library.cjs', 'client.cjs'])
copyFileSync('scripts/loader.cjs', `${draft}/grite.cjs`)
chmodSync(`${draft}/grite.cjs`, 0o755)
const bundleId = createHash('sha256')
  .update(readFileSync(`${draft}/bundle.cjs`))
  .digest('hex')
  .slice(0, 32)
const ownCode = readFileSync('scripts/own-code.cjs', 'utf8').replace('@bundle-id@', bundleId)
writeFileSync(`${draft}/own-code.cjs`, ownCode)
// In a separate process, so that code compiled during the build does not get into the cache.
execFileSync(process.execPath, ['scripts/make-code-cache.mjs', draft], { stdio: 'inherit' })
const { script } = createRequire(import.meta.url)(resolve(draft, 'grite.cjs'))
if (script.cachedDataRejected !== false) throw new Error('V8 rejected the code cache; see scripts/make-code-cache.mjs')
rmSync('dist', { recursive: true, force: true })
renameSync(draft, 'dist')

/** Puts the id of the build, a hash of these scripts, where `src/ipc/build-id.ts` has a placeholder, and into a file of its own. */
function nameBuild(names) {
  const hash = createHash('sha256')
  for (const name of names) hash.update(readFileSync(`${draft}/${name}`))
  const id = hash.digest('hex').slice(0, 32)
  for (const name of names) {
    const path = `${draft}/${name}`
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll('@grite-build-id@', id))
  }
  writeFileSync(`${draft}/build-id`, `${id}\n`)
}

/**
 * Loads built-in modules of Node on first use instead of on import: crypto, zlib and the streams below tty take several
 * milliseconds each, and most commands need only some of them.
 */
function lazyBuiltins() {
  const names = [
    'child_process',
    'crypto',
    'fs/promises',
    'net',
    'os',
    'stream',
    'timers/promises',
    'tty',
    'v8',
    'zlib',
  ]
  return {
    name: 'lazy-builtins',
    setup(plugin) {
      plugin.onResolve({ filter: new RegExp(`^(node:)?(${names.join('|')})$`) }, ({ path, namespace }) =>
        namespace === 'lazy-builtin'
          ? { path, external: true }
          : { path: `node:${path.replace(/^node:/, '')}`, namespace: 'lazy-builtin' },
      )
      plugin.onLoad({ filter: /.*/, namespace: 'lazy-builtin' }, ({ path }) => {
        const keys = Object.keys(createRequire(import.meta.url)(path))
        const getters = keys.map((key) => `get ${JSON.stringify(key)}() { return load()[${JSON.stringify(key)}] }`)
        const load = `let loaded; const load = () => (loaded ??= require(${JSON.stringify(path)}))`
        return {
          contents: `${load}\nmodule.exports = { ${getters.join(', ')} }`,
          loader: 'js',
          resolveDir: resolve('.'),
        }
      })
    },
  }
}

/** Loads packages on first use, as `lazyBuiltins` does for built-in modules. */
function lazyPackages() {
  return {
    name: 'lazy-packages',
    setup(plugin) {
      plugin.onResolve({ filter: /^cbor-x\/index-no-eval$/ }, ({ path, namespace }) =>
        namespace === 'lazy-package' ? undefined : { path, namespace: 'lazy-package' },
      )
      plugin.onLoad({ filter: /.*/, namespace: 'lazy-package' }, ({ path }) => ({
        contents: `module.exports = { get Encoder() { return require(${JSON.stringify(path)}).Encoder } }`,
        loader: 'js',
        resolveDir: resolve('.'),
      }))
    },
  }
}

/** Redirects imports of rarely used packages, and of the schemas, to their separate files. */
function apart() {
  return {
    name: 'apart',
    setup(plugin) {
      plugin.onResolve({ filter: /^\.\/schemas\.json$/ }, () => ({ path: './packages/schemas.json', external: true }))
      for (const [name, path] of Object.entries(seldomUsed)) {
        plugin.onResolve({ filter: new RegExp(`^${path}$`) }, () => ({
          path: `./packages/${name}.cjs`,
          external: true,
        }))
      }
    },
  }
}

/**
 * Bundles the JavaScript of classic-level and loads its addon from the place where npm installed it. Tries the usual path
 * before node-gyp-build, which reads directories to find the same file.
 */
function nativeAddon() {
  return {
    name: 'native-addon',
    setup(plugin) {
      plugin.onLoad({ filter: /classic-level[\\/]binding\.js$/ }, () => ({
        loader: 'js',
        contents: `
const { existsSync } = require('node:fs')
const { createRequire } = require('node:module')
const { dirname, join } = require('node:path')
const manifest = require.resolve('classic-level/package.json')
const root = dirname(manifest)
const prebuilt = join(root, 'prebuilds/linux-x64/classic-level.node')
const usual = process.platform === 'linux' && process.arch === 'x64' &&
  !existsSync('/etc/alpine-release') && !existsSync(join(root, 'build')) && existsSync(prebuilt)
module.exports = usual ? require(prebuilt) : createRequire(manifest)('node-gyp-build')(root)`,
      }))
    },
  }
}

/**
 * Replaces the command table by one whose definitions are plain data and whose `run` loads the file of the command:
 * parsing a line needs all definitions, but the code of only one command.
 */
function lazyCommands() {
  return {
    name: 'lazy-commands',
    setup(plugin) {
      plugin.onLoad({ filter: /all-commands\.ts$/ }, async ({ path }) =>
        tables.has(path) ? { contents: await lazyTable(path), loader: 'js', resolveDir: dirname(path) } : undefined,
      )
    },
  }
}

async function lazyTable(tableFile) {
  const exported = tables.get(tableFile)
  const rows = await evaluateTable(tableFile, exported)
  const lines = rows.map(({ file, name, definition }) => {
    const data = JSON.stringify(definition)
    const load = `import(${JSON.stringify(file)})`
    return `{ ...${data}, run: async (context, input) => (await ${load}).${name}.run(context, input) }`
  })
  return `export const ${exported} = [${lines.join(',\n')}]`
}

/** Evaluates the real table once, and finds the file and the export name of each command. */
async function evaluateTable(tableFile, exported) {
  const files = [...sourceFiles('src/commands'), ...sourceFiles('src/cli')]
  const imports = files.map((file, index) => `import * as file${index} from ${JSON.stringify(file)}`)
  const list = files.map((file, index) => `[${JSON.stringify(file)}, file${index}]`)
  const contents = `${imports.join('\n')}
import { ${exported} } from ${JSON.stringify(tableFile)}
export const rows = ${exported}.map((command) => {
  for (const [file, names] of [${list.join(', ')}]) {
    for (const [name, value] of Object.entries(names)) if (value === command) return { file, name, definition: command }
  }
  throw new Error('no file below src/commands exports the command ' + command.name)
})`
  // Below node_modules, so that external modules are found.
  mkdirSync('node_modules/.cache', { recursive: true })
  const directory = mkdtempSync('node_modules/.cache/grite-build-')
  try {
    const outfile = resolve(directory, 'table.cjs')
    await build({
      ...shared,
      format: 'cjs',
      external: ['classic-level'],
      stdin: { contents, resolveDir: '.' },
      outfile,
      logLevel: 'error',
    })
    return createRequire(import.meta.url)(outfile).rows
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function sourceFiles(folder) {
  return readdirSync(folder, { recursive: true })
    .filter((file) => file.endsWith('.ts') && !/(?:run-process|bundle)\.ts$/.test(file))
    .map((file) => resolve(folder, file))
    .filter((file) => !tables.has(file))
}
