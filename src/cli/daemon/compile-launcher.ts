/**
 * Compiles the native launcher from the sources in the package, as the build does (`scripts/build-launcher.mjs`): a published
 * package has no launcher, because it names the place of the installation.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { NotFoundError, StorageError } from '../../model/errors/index.ts'
import { describeForeign } from '../../model/index.ts'

const compiler = 'cc'
const compileMsMax = 60_000

export interface CompileRequest {
  /** The folder of the program. */
  readonly dist: string
  readonly target: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** @throws {NotFoundError} without a C compiler @throws {StorageError} when it fails; nothing is left then */
export function compileLauncher({ dist, target, env }: CompileRequest): void {
  const entry = join(dist, 'grite.cjs')
  // Characters that would need an escape in C or in JSON.
  if (/["\\?\0-\x1f]/.test(entry)) throw failed(`the path ${describeForeign(entry)} has special characters`)
  const buildId = readFileSync(join(dist, 'build-id'), 'utf8').trim()
  const words = ['-std=c99', '-O2', `-DGRITE_ENTRY="${entry}"`, `-DGRITE_BUILD="${buildId}"`]
  const compile = (...options: readonly string[]) =>
    spawnSync(compiler, [...options, ...words, join(dist, '../native/grite.c'), '-o', target], {
      encoding: 'utf8',
      env: env as NodeJS.ProcessEnv,
      timeout: compileMsMax,
    })
  // A static program starts faster, but not every system can link one.
  let made = compile('-static')
  if ((made.error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') {
    throw new NotFoundError(`this installation has no launcher, and there is no C compiler (${compiler}) to build it`, {
      details: { path: target },
      hints: ['Install a C compiler, such as gcc or clang, and run this again'],
    })
  }
  if (made.status !== 0) made = compile()
  if (made.status === 0) return
  rmSync(target, { force: true })
  const [line] = `${made.error?.message ?? ''}${made.stderr ?? ''}`.trim().split('\n')
  throw failed(`${compiler} failed: ${line}`)
}

function failed(reason: string): StorageError {
  return new StorageError(`the launcher could not be built: ${reason}`)
}
