// Builds the native launcher, `grite-fast`, if the machine has a C compiler. It contains the path of the Node entry and the id
// of the build, so it is built on the machine where it runs and not published.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

/**
 * Writes `grite-fast` into the folder of a build, which has the file `build-id`.
 *
 * @param {string} folder
 * @param {{ entry?: string, compiler?: string }} options - the place of the Node entry once the build is finished
 * @returns {string | undefined} the reason why there is no launcher, one line
 */
export function buildLauncher(folder, { entry = resolve('dist/grite.cjs'), compiler = 'cc' } = {}) {
  // Characters that would need an escape in C or in JSON.
  if (/["\\?\0-\x1f]/.test(entry)) return `the path ${JSON.stringify(entry)} has special characters`
  const buildId = readFileSync(join(folder, 'build-id'), 'utf8').trim()
  const definitions = [`-DGRITE_ENTRY="${entry}"`, `-DGRITE_BUILD="${buildId}"`]
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
