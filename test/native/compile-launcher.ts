/** Compiles the native launcher for tests, with the checks of the compiler where it has them. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../../native/', import.meta.url))
const cacheFolder = fileURLToPath(new URL('../../node_modules/.cache/grite-native/', import.meta.url))
/** The stand-in for the Node entry. */
export const localGrite = fileURLToPath(new URL('local-grite.cjs', import.meta.url))

/** The reason why the launcher cannot be compiled on this machine; false when it can. */
export const whyNoCompiler: string | false =
  spawnSync('cc', ['--version']).status === 0 ? false : 'there is no C compiler (cc)'

const strict = ['-std=c99', '-O1', '-g', '-Wall', '-Wextra', '-Wpedantic', '-Werror']
const sanitizers = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all']

/**
 * Compiles a file of `native/` unless it has been. Returns the path of the program.
 *
 * @param settings - values of GRITE_ENTRY and GRITE_BUILD other than those for tests
 */
export function compileNative(
  file: string,
  settings: { readonly entry?: string; readonly build?: string } = {},
): string {
  const { entry = localGrite, build = 'build of the tests' } = settings
  const definitions = [`-DGRITE_ENTRY=${JSON.stringify(entry)}`, `-DGRITE_BUILD=${JSON.stringify(build)}`]
  const hash = createHash('sha256').update(JSON.stringify([definitions, strict, sanitizers]))
  for (const name of readdirSync(folder).sort()) hash.update(readFileSync(join(folder, name)))
  const path = join(cacheFolder, `${file}-${hash.digest('hex').slice(0, 16)}-${process.arch}`)
  if (existsSync(path)) return path
  mkdirSync(cacheFolder, { recursive: true })
  const draft = `${path}.${process.pid}`
  const compile = (options: readonly string[]) =>
    spawnSync('cc', [...strict, ...options, ...definitions, '-o', draft, join(folder, file)], { encoding: 'utf8' })
  let result = compile(sanitizers)
  if (result.status !== 0 && compile([]).status === 0) result = compile([])
  if (result.status !== 0) throw new Error(`${file} does not compile: ${result.stderr}`)
  renameSync(draft, path)
  return path
}
