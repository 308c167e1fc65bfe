// Links the modules of the command line into scripts that share one registry: each module becomes a function that runs when
// one of its exports is first used, so a command evaluates only the modules that it needs, from whichever script they are in.
// There are no import cycles (a lint rule), and no module has effects when it is evaluated, so the order does not matter.
import { readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'
import { build, transform } from 'esbuild'

/**
 * @typedef {object} LinkOptions
 * @property {string} entry - path of the first module
 * @property {(path: string) => Promise<string | undefined>} load - replaces the content of a source file
 * @property {ReadonlyMap<string, string>} apart - packages and files that stay separate files, with the path to require
 * @property {readonly object[]} packagePlugins - plugins of esbuild for packages
 */

/**
 * Returns the text of every module that the entry can reach, by id: the path below src/ without extension, or the name of
 * a package.
 *
 * @param {LinkOptions} options
 * @returns {Promise<Map<string, string>>}
 */
export async function linkModules(options) {
  const modules = new Map()
  const waiting = [{ id: idOf(resolve(options.entry)), path: resolve(options.entry) }]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (modules.has(next.id)) continue
    const { text, imports } = await linkOne(next, options)
    modules.set(next.id, text)
    waiting.push(...imports)
  }
  return new Map([...modules].sort(([one], [other]) => (one < other ? -1 : 1)))
}

/** A script whose value is a function that returns the modules as an object. */
export async function formatScript(modules, ids) {
  const members = ids.map((id) => `${JSON.stringify(id)}: ${modules.get(id)}`)
  const helpersText = members.some((member) => member.includes('__callDispose')) ? await disposeHelpers() : ''
  // As the value of an assignment, which the minifier keeps.
  const text = `module.exports = function (require, load, interop) {\n"use strict";\n${helpersText}\nreturn {\n${members.join(',\n')}\n}\n}`
  const { code } = await transform(text, { ...format, minify: true })
  return `(${code.replace(/^module\.exports ?= ?/, '').replace(/;\n?$/, '')})`
}

/** What esbuild adds to a module with `await using`; once for all of a script. */
async function disposeHelpers() {
  const { code } = await transform('async () => { await using value = make() }', format)
  return code.slice(0, code.indexOf('async () =>'))
}

const format = { platform: 'node', target: 'node20', charset: 'ascii', legalComments: 'none', logLevel: 'error' }

async function linkOne({ id, path }, options) {
  if (path === undefined) return { text: await linkPackage(id, options), imports: [] }
  const source = readFileSync(path, 'utf8')
  if (path.endsWith('.json')) return { text: `() => ({ default: ${source} })`, imports: [] }
  const contents = (await options.load(path)) ?? source
  const { code } = await transform(contents, {
    ...format,
    loader: 'ts',
    format: 'cjs',
    // `import()` becomes `require()`: a script compiled by hand has no dynamic import.
    supported: { 'dynamic-import': false },
  })
  return linkSource(code, path, options)
}

const exportsPattern = /^__export\(stdin_exports, \{\n([\s\S]*?)\n\}\);\n/m
const helpers = /^(?:var __\w+ = .*?)?(?=^var stdin_exports)/ms
const importPattern = /^var (import_\w+) = (?:__toESM\()?require\("([^"]+)"\)\)?;\n/gm
const unnamedImport = /^(?:var import_\w+ = )?require\("([^"]+)"\);\n/gm
const dynamicImport = /__toESM\(require\("([^"]+)"\)\)|require\("([^"]+)"\)/g

/** Rewrites esbuild's CommonJS: imports become calls that load on first use, exports become the value of the function. */
function linkSource(code, path, options) {
  const exported = [...(exportsPattern.exec(code)?.[1] ?? '').matchAll(/^ {2}(\w+): \(\) => ([\w.]+),?$/gm)]
  let body = code
    .replace(helpers, '')
    .replace(/^var stdin_exports = \{\};\n/m, '')
    .replace(exportsPattern, '')
    .replace(/^module\.exports = __toCommonJS\(stdin_exports\);\n/m, '')
    .replace(/^\/\/ Annotate the CommonJS export names.*$/ms, '')
  const imports = []
  const target = (specifier) => {
    const { load, module } = targetOf(specifier, path, options)
    if (module !== undefined) imports.push(module)
    return load
  }
  const declared = new Map([...body.matchAll(importPattern)].map(([, name, specifier]) => [name, target(specifier)]))
  body = body.replace(importPattern, '').replace(unnamedImport, '')
  body = body.replace(dynamicImport, (_, one, other) => target(one ?? other))
  const getters = []
  for (const [name, load] of declared) {
    if (new RegExp(`['"\`/]${name}\\b`).test(body)) throw new Error(`${path}: a text contains the name ${name}`)
    const uses = new RegExp(`\\b${name}\\b`, 'g')
    if (!new RegExp(uses).test(body) && !exported.some(([, , value]) => value.startsWith(`${name}.`))) continue
    // In parentheses, for `new`.
    body = body.replace(uses, `(${name}())`)
    getters.push(`let ${name}_; const ${name} = () => ${name}_ ??= ${load};`)
  }
  const rest = /\b(?:__toESM|__toCommonJS|__export|module\.exports|require\(")/.exec(
    body.replaceAll(/require\("(?:node:|\.\/packages|@node-rs\/)/g, ''),
  )
  if (rest !== null) throw new Error(`${path}: cannot link ${rest[0]}`)
  const members = exported.map(([, name, value]) =>
    value.includes('.')
      ? `get ${name}() { return ${value.replace('.', '().')} }`
      : name === value
        ? name
        : `${name}: ${value}`,
  )
  return { text: `() => {\n${getters.join('\n')}\n${body}\nreturn { ${members.join(', ')} }\n}`, imports }
}

/** The expression that loads what a specifier names, and its module unless it is a file of its own or part of Node. */
function targetOf(specifier, path, { apart }) {
  const required = apart.get(specifier)
  if (required !== undefined) return { load: `interop(require(${JSON.stringify(required)}))` }
  const builtin = specifier.replace(/^node:/, '')
  if (builtinModules.includes(builtin)) return { load: `require(${JSON.stringify(`node:${builtin}`)})` }
  if (!specifier.startsWith('.')) {
    return { load: `interop(load(${JSON.stringify(specifier)}))`, module: { id: specifier, path: undefined } }
  }
  const file = join(dirname(path), specifier)
  return { load: `load(${JSON.stringify(idOf(file))})`, module: { id: idOf(file), path: file } }
}

async function linkPackage(name, { packagePlugins }) {
  const { outputFiles } = await build({
    ...format,
    bundle: true,
    write: false,
    format: 'cjs',
    stdin: { contents: `module.exports = require(${JSON.stringify(name)})`, resolveDir: '.' },
    external: ['node-gyp-build'],
    plugins: packagePlugins,
  })
  const text = outputFiles[0].text.replace(/^"use strict";\n/, '')
  return `() => { const module = { exports: {} }; ((module, exports) => {\n${text}\n})(module, module.exports); return module.exports }`
}

function idOf(path) {
  return relative(resolve('src'), path).replace(/\.ts$/, '').replaceAll('\\', '/')
}
