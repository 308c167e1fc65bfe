// The command tables in dist/: data, whose commands load their code on first use. Parsing a line needs definitions, but the
// code of only one command.
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, relative, resolve } from 'node:path'
import { build } from 'esbuild'
import { nativePackages } from './esbuild-plugins.mjs'
import { everydayCommands } from './everyday.mjs'

/** Command tables, by file, with the name of their export. */
const tables = new Map([
  [resolve('src/cli/all-commands.ts'), 'commandLineCommands'],
  [resolve('src/library/all-commands.ts'), 'libraryCommands'],
])
const rowsFile = resolve('src/cli/command-rows.ts')

/** Replaces the command tables, for esbuild. */
export function lazyCommands() {
  return {
    name: 'lazy-commands',
    setup(plugin) {
      plugin.onLoad({ filter: /all-commands\.ts$/ }, async ({ path }) => {
        const contents = await lazyCommandTable(path)
        return contents === undefined ? undefined : { contents, loader: 'js', resolveDir: dirname(path) }
      })
    },
  }
}

/** The text that replaces a file with a command table; undefined for any other file. */
export async function lazyCommandTable(path) {
  if (path === rowsFile) return formatRows()
  return tables.has(path) ? formatTable(path, tables.get(path), () => true) : undefined
}

/** The rows of an everyday line: only the words of all other commands. */
async function formatRows() {
  const table = resolve('src/cli/all-commands.ts')
  const contents = await formatTable(table, tables.get(table), ({ name }) => everydayCommands.includes(name))
  return contents.replace(/^export const \w+/, 'export const commandRows')
}

async function formatTable(tableFile, exported, isComplete) {
  const rows = await evaluateTable(tableFile, exported)
  const lines = rows.map(({ file, name, definition }) => {
    const words = { name: definition.name, shortForms: definition.shortForms }
    if (!isComplete(definition)) return JSON.stringify(words)
    const path = relative(dirname(tableFile), file)
    const load = `import(${JSON.stringify(path.startsWith('.') ? path : `./${path}`)})`
    return `{ ...${JSON.stringify(definition)}, run: async (context, input) => (await ${load}).${name}.run(context, input) }`
  })
  return `export const ${exported} = [${lines.join(',\n')}]`
}

/** Evaluates the real table, and finds the file and the export name of each command. */
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
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'cjs',
      external: ['classic-level', ...nativePackages],
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
    .filter((file) => !tables.has(file) && file !== rowsFile)
}
