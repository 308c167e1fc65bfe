// Builds the native launcher, `grite-fast`, if the machine has a C compiler. It contains the path of the Node entry and the id
// of the build, so it is built on the machine where it runs and not published.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** Hexadecimal digits of the id of a build. */
const buildIdLength = 32

/**
 * Writes `build-id`, unless it exists, and `grite-fast` into the folder of a build.
 *
 * @param {string} folder
 * @param {{ entry?: string, compiler?: string }} options - the place of the Node entry once the build is finished
 * @returns {string | undefined} the reason why there is no launcher, one line
 */
export function buildLauncher(folder, { entry = resolve('dist/grite.cjs'), compiler = 'cc' } = {}) {
  const idFile = join(folder, 'build-id')
  if (!existsSync(idFile)) writeFileSync(idFile, hashBuild(folder))
  // Characters that would need an escape in C or in JSON.
  if (/["\\?\0-\x1f]/.test(entry)) return `the path ${JSON.stringify(entry)} has special characters`
  const definitions = [`-DGRITE_ENTRY="${entry}"`, `-DGRITE_BUILD="${readFileSync(idFile, 'utf8').trim()}"`]
  const compile = (...options) => {
    const words = ['-std=c99', '-O2', ...options, ...definitions, 'native/grite.c', '-o', join(folder, 'grite-fast')]
    return spawnSync(compiler, words, { encoding: 'utf8' })
  }
  // A static program starts faster, but not every system can link one.
  let { status, error, stderr } = compile('-static')
  if (error?.code === 'ENOENT') return `there is no C compiler (${compiler})`
  if (status !== 0) ({ status, error, stderr } = compile())
  if (status === 0) return undefined
  const [line] = `${error?.message ?? ''}${stderr ?? ''}`.trim().split('\n')
  return `${compiler} failed: ${line}`
}

/** The names and contents of the scripts of a build; the code caches are made from them. */
function hashBuild(folder) {
  const hash = createHash('sha256')
  for (const name of readdirSync(folder, { recursive: true }).sort()) {
    if (!/\.(cjs|mjs|json)$/.test(name)) continue
    const content = readFileSync(join(folder, name))
    hash.update(`${name}\n${content.length}\n`).update(content)
  }
  return hash.digest('hex').slice(0, buildIdLength)
}
