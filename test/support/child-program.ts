import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const projectDir = fileURLToPath(new URL('../../', import.meta.url))

/**
 * Returns the Node arguments that run a program of the tests: its bundle if the tests are bundled, otherwise its source.
 *
 * @param path - relative to the project directory; scripts/bundle-tests.mjs lists it
 */
export function childProgram(path: string): readonly string[] {
  const bundles = process.env.GRITE_TEST_BUNDLES
  if (bundles === undefined) return ['--import', 'tsx', join(projectDir, path)]
  return [join(bundles, path.replace(/\.ts$/, '.mjs'))]
}
