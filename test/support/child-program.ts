import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const projectDir = fileURLToPath(new URL('../../', import.meta.url))

/**
 * What Node is started with to run a program of the tests: its bundle where the tests are bundled, else its source.
 *
 * @param path - from the project's folder; scripts/bundle-tests.mjs lists it
 */
export function childProgram(path: string): readonly string[] {
  const bundles = process.env.GRITE_TEST_BUNDLES
  if (bundles === undefined) return ['--import', 'tsx', join(projectDir, path)]
  return [join(bundles, path.replace(/\.ts$/, '.mjs'))]
}
