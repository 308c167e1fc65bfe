// Plugins of esbuild for the bundle of the library and for bundled packages.
import { createRequire } from 'node:module'
import { relative, resolve } from 'node:path'

/** Packages that few commands need, by file name in `dist/packages/`. */
export const seldomUsed = {
  'isomorphic-git': 'isomorphic-git',
  'memory-level': 'memory-level',
  pino: 'pino',
  yargs: 'yargs/yargs',
  csv: 'csv-stringify/sync',
  'hash-wasm': 'hash-wasm',
  zstd: '@bokuweb/zstd-wasm',
}

/** Packages that choose a native addon by themselves, loaded from where npm installed them. */
export const nativePackages = ['@node-rs/crc32']

/**
 * Loads built-in modules of Node on first use instead of on import: crypto, zlib and the streams below tty take several
 * milliseconds each, and most commands need only some of them.
 * @param {readonly string[]} needed - loaded on import all the same
 */
export function lazyBuiltins(needed = []) {
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
  ].filter((name) => !needed.includes(name))
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

/** Like `lazyBuiltins`, for the loader, which needs one function of `node:os` where it needs any. */
export function lazyHostname() {
  return {
    name: 'lazy-hostname',
    setup(plugin) {
      plugin.onResolve({ filter: /^node:os$/ }, ({ path, namespace }) =>
        namespace === 'lazy-hostname' ? { path, external: true } : { path, namespace: 'lazy-hostname' },
      )
      plugin.onLoad({ filter: /.*/, namespace: 'lazy-hostname' }, ({ path }) => ({
        contents: `export const hostname = () => require(${JSON.stringify(path)}).hostname()`,
        loader: 'js',
        resolveDir: resolve('.'),
      }))
    },
  }
}

/** Redirects imports of rarely used packages, and of the schemas, to their separate files. */
export function apart() {
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
export function nativeAddon() {
  return {
    name: 'native-addon',
    setup(plugin) {
      plugin.onLoad({ filter: /classic-level[\\/]binding\.js$/ }, () => ({
        loader: 'js',
        contents: `
const { existsSync } = require('node:fs')
const { dirname, join } = require('node:path')
const manifest = require.resolve('classic-level/package.json')
const root = dirname(manifest)
const prebuilt = join(root, 'prebuilds/linux-x64/classic-level.node')
const usual = process.platform === 'linux' && process.arch === 'x64' &&
  !existsSync('/etc/alpine-release') && !existsSync(join(root, 'build')) && existsSync(prebuilt)
// Loading node:module takes a millisecond.
module.exports = usual ? require(prebuilt) : require('node:module').createRequire(manifest)('node-gyp-build')(root)`,
      }))
    },
  }
}

/** The path of the bundled program of a thread, by the module that states the path of its source. */
export const threadPrograms = {
  'src/wal/streams/seal-worker-path.ts': "export const sealWorkerPath = () => require.resolve('./seal-worker.cjs')",
  'src/tracker/context/parse-worker-path.ts':
    "export const parseWorkerPath = () => require.resolve('./parse-worker.cjs')",
}

/** Puts `threadPrograms` into a bundle. */
export function threadPaths() {
  return {
    name: 'thread-paths',
    setup(plugin) {
      plugin.onLoad({ filter: /-worker-path\.ts$/ }, ({ path }) => ({
        contents: threadPrograms[relative(resolve('.'), path)],
        loader: 'ts',
      }))
    },
  }
}

/** Lets a program of `dist/` find the grammars beside it. */
export function builtGrammars() {
  return {
    name: 'built-grammars',
    setup(plugin) {
      plugin.onLoad({ filter: /[\\/]grammar-files\.ts$/ }, () => ({
        contents: `
export const grammarFile = (name: string): string => require.resolve('./grammars/' + name + '.wasm')
export const parserFile = (): string => require.resolve('./grammars/parser.wasm')`,
        loader: 'ts',
      }))
    },
  }
}
