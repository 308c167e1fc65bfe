// Bundles the command line into dist/. The entry holds what every start needs; whatever the source loads with
// `await import()` becomes a file of its own, so that printing an issue does not parse yargs. Native addons stay outside.
//
// esbuild splits only ES modules, and Node starts CommonJS faster; so each part is split first and then rewritten.
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, resolve } from 'node:path'
import { build, transform } from 'esbuild'

const entry = 'dist/grite.cjs'
const tableFile = resolve('src/cli/all-commands.ts')
const shared = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  external: ['classic-level'],
}

rmSync('dist', { recursive: true, force: true })
const { outputFiles } = await build({
  ...shared,
  entryPoints: { grite: 'bin/grite.ts' },
  outdir: 'dist',
  outExtension: { '.js': '.cjs' },
  chunkNames: 'parts/[name]-[hash]',
  splitting: true,
  write: false,
  plugins: [lazyCommands()],
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

/**
 * Replaces the table of commands by one whose definitions are plain data and whose `run` loads the command's own file:
 * parsing a line needs every definition, but only one command's code.
 */
function lazyCommands() {
  return {
    name: 'lazy-commands',
    setup(plugin) {
      plugin.onLoad({ filter: /all-commands\.ts$/ }, async ({ path }) =>
        path === tableFile ? { contents: await lazyTable(), loader: 'js', resolveDir: dirname(path) } : undefined,
      )
    },
  }
}

async function lazyTable() {
  const rows = await evaluateTable()
  const lines = rows.map(({ file, name, definition }) => {
    const data = JSON.stringify(definition)
    const load = `import(${JSON.stringify(file)})`
    return `{ ...${data}, run: async (context, input) => (await ${load}).${name}.run(context, input) }`
  })
  return `export const commandLineCommands = [${lines.join(',\n')}]`
}

/** Runs the real table once, and finds for each command the file and the name under which it is exported. */
async function evaluateTable() {
  const files = [...sourceFiles('src/commands'), ...sourceFiles('src/cli')]
  const imports = files.map((file, index) => `import * as file${index} from ${JSON.stringify(file)}`)
  const list = files.map((file, index) => `[${JSON.stringify(file)}, file${index}]`)
  const contents = `${imports.join('\n')}
import { commandLineCommands } from ${JSON.stringify(tableFile)}
export const rows = commandLineCommands.map((command) => {
  for (const [file, exported] of [${list.join(', ')}]) {
    for (const [name, value] of Object.entries(exported)) if (value === command) return { file, name, definition: command }
  }
  throw new Error('no file below src/commands exports the command ' + command.name)
})`
  // Below node_modules, so that what stays outside the bundle is found.
  mkdirSync('node_modules/.cache', { recursive: true })
  const directory = mkdtempSync('node_modules/.cache/grite-build-')
  try {
    const outfile = resolve(directory, 'table.cjs')
    await build({ ...shared, format: 'cjs', stdin: { contents, resolveDir: '.' }, outfile, logLevel: 'error' })
    return createRequire(import.meta.url)(outfile).rows
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function sourceFiles(folder) {
  return readdirSync(folder, { recursive: true })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('run-process.ts'))
    .map((file) => resolve(folder, file))
    .filter((file) => file !== tableFile)
}
