import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { newTemporaryPath } from '../durable/temporary-name.ts'
import type { GitPort, Oid, RefName } from '../port.ts'
import { createGitRunner } from '../run-git.ts'

export interface FilterProbe {
  /** Name of a configured remote, or a URL. */
  readonly remote: string
  readonly ref: RefName
  /** What a fetch of the ref without file contents must leave out. */
  readonly blob: Oid
  readonly signal: AbortSignal
}

/**
 * Whether a remote can leave file contents out of a fetch, as a partial clone needs: fetches a ref to a temporary
 * repository, because in this one git would note that it is a partial clone.
 *
 * @throws {GitError} when the fetch fails
 */
export async function probeFilter(
  { layout, environment }: Pick<GitPort, 'layout' | 'environment'>,
  { remote, ref, blob, signal }: FilterProbe,
): Promise<boolean> {
  const dir = newTemporaryPath(layout)
  mkdirSync(dir, { recursive: true })
  const objectDir = join(dir, 'objects')
  const aside = { ...layout, gitDir: dir, commonDir: dir, objectDir, workTree: null, unusualObjectStore: false }
  const { GIT_OBJECT_DIRECTORY: _, GIT_ALTERNATE_OBJECT_DIRECTORIES: __, ...others } = environment
  const git = createGitRunner(aside, { ...others, GIT_TERMINAL_PROMPT: '0', GCM_INTERACTIVE: 'never' })
  // A relative path in a remote's URL is resolved from there.
  const cwd = layout.workTree ?? layout.gitDir
  try {
    await git.run(['init', '--quiet', '--bare', '--template=', `--object-format=${layout.objectFormat}`], {
      cwd,
      signal,
    })
    const options = ['--quiet', '--refmap=', '--no-tags', '--no-write-fetch-head', '--no-auto-maintenance']
    // The remote and its credentials are settings of this repository.
    const settings = ['-c', `include.path=${join(layout.commonDir, 'config')}`]
    const refspec = `${ref}:refs/probe`
    await git.run([...settings, 'fetch', ...options, '--filter=blob:none', '--', remote, refspec], { cwd, signal })
    const { stdout } = await git.run(['rev-list', '--objects', '--no-object-names', '--missing=print', 'refs/probe'], {
      cwd,
    })
    return stdout.toString('latin1').split('\n').includes(`?${blob}`)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
