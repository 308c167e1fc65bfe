// Writes the type declarations of the library to dist/types. Separate from the build, because tests and daily work do not need
// them, and the compiler takes longer than the bundler.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

const folder = 'dist/types'
const compiler = resolve('node_modules/typescript/bin/tsc')
const { status } = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.types.json'], { stdio: 'inherit' })
if (status !== 0) process.exit(status ?? 1)

// The compiler emits declarations for every file of the library, but importing programs read only a few of them.
const reached = new Set()
walk(resolve(folder, 'library/index.d.ts'))
for (const file of readdirSync(folder, { recursive: true })) {
  const path = resolve(folder, file)
  if (path.endsWith('.d.ts') && !reached.has(path)) rmSync(path)
}

function walk(path) {
  if (reached.has(path)) return
  reached.add(path)
  for (const [, target] of readFileSync(path, 'utf8').matchAll(/(?:from|import\() ?['"](\.[^'"]*)\.ts['"]/g)) {
    walk(join(dirname(path), `${target}.d.ts`))
  }
}
